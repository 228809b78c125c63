"""The tables of a suite file as pydantic models: keys, types, domains, defaults and descriptions, each declared once.

The same declaration checks a file (`checked`) and is the JSON Schema for editors (`json_schema`). Only the options of compute are
declared elsewhere: they come from the command line, with their types, defaults and help.
"""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from types import NoneType
from typing import Annotated, Any, Literal, Protocol, TypeVar, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    WrapValidator,
    create_model,
    model_validator,
)
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError, core_schema

from losscli.errors import UsageError
from losscli.libraries import NAMES
from losscli.measurement.requirement import STATISTICS
from losscli.wording import did_you_mean, listing


class Option(Protocol):
    """An option of compute: its type and help, its default, and the families of losses that take it."""

    @property
    def annotation(self) -> Any: ...

    @property
    def default(self) -> Any: ...

    @property
    def when(self) -> Callable[[Any], bool]: ...


T = TypeVar("T", bound="Table")
UNKNOWN = "unknown_key"
"""The error of a key that does not exist; all others have the names that pydantic gives them."""


MEMBERS = {str: "<text>", int: "<number>", float: "<number>", list: "<list>", dict: "<table>"}
TAGS = {*MEMBERS.values(), "<false>", "<value>", "<loss>", "<sum>"}
"""Names of members, which pydantic puts into the place of an error."""


def _member(value: Any) -> str:
    """The name of the member of a union that a value belongs to, so that it has one error and not one for each member."""
    return "<false>" if value is False else MEMBERS.get(type(value), "<other>")


def _by_type(refusal: str) -> Discriminator:
    """Tells the members of a union apart; `refusal` is said of a value that belongs to none of them."""
    return Discriminator(_member, custom_error_type="refused", custom_error_message=refusal)


def _as_written(value: Any, check: Callable[[Any], float]) -> Any:
    check(value)
    return value  # 2 stays 2, and does not become 2.0


def _quoted(names: list[str]) -> str:
    """A list of names as the command line has it: those with commas in quotes."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(names)
    return out.getvalue()


def _pairs(numbers: Mapping[str, float]) -> str:
    """A table of names and numbers as the command line has it."""
    return ",".join(f"{name}={number}" for name, number in numbers.items())


def _file(text: str) -> str:
    if text == "-" or text.startswith("-:"):
        raise PydanticCustomError("refused", "is standard input; a suite reads files, which can be read again")
    return text


def _none(value: object) -> None:
    return None


Text = Annotated[str, Field(pattern=r"\S")]
Number = Annotated[float, Field(allow_inf_nan=False)]
NotNegative = Annotated[Number, Field(ge=0)]
Whole = Annotated[int, Field(ge=-(2**53) + 1, le=2**53 - 1)]
TakenBack = Annotated[Literal[False], AfterValidator(_none), Field(json_schema_extra={"enum": [False]}), Tag("<false>")]
"""What a measurement says of an option to take its default back; read as None."""
Operand = Annotated[
    Annotated[Text, AfterValidator(_file), Tag("<text>")] | Annotated[int | float, Tag("<number>")],
    _by_type("is neither a file's name in quotes nor a number"),
]
Requirements = Annotated[
    Annotated[Text, Tag("<text>")] | Annotated[list[Text], Tag("<list>")],
    _by_type("is not a list of requirements, as ['mean <= 0.35']"),
]
Columns = Annotated[
    Annotated[Text, Tag("<text>")] | Annotated[list[Text], Tag("<list>")] | TakenBack,
    _by_type("is not the name of a column, or a list of names"),
]
Library = Annotated[
    Annotated[Text, Field(json_schema_extra={"enum": list(NAMES)}), Tag("<text>")] | TakenBack,
    _by_type("is not a text in quotes"),
]
Words = Annotated[
    Annotated[
        str, Field(pattern=r"^(?!\s+$)|^[ \t]$"), Tag("<text>")
    ]  # a column's name may be '', and a separator a blank
    | Annotated[int | float, AfterValidator(repr), Tag("<number>")]
    | Annotated[list[Text], AfterValidator(_quoted), Tag("<list>")]
    | Annotated[
        dict[Annotated[str, Field(pattern="^[^,=]*$")], Annotated[Number, WrapValidator(_as_written)]],
        AfterValidator(_pairs),
        Tag("<table>"),
    ]
    | TakenBack,
    _by_type("is not a text in quotes"),
]
"""What is words on the command line: in a suite words, a number, a list of names, or a table of names and numbers."""


class Table(BaseModel):
    """A table that has the keys of its fields and no others, and converts no value into another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, regex_engine="python-re", defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _knows_the_keys(cls, table: Any) -> Any:
        known = [field.alias or name for name, field in cls.model_fields.items()]
        key = next((key for key in table if key not in known), None) if isinstance(table, dict) else None
        if key is None:
            return table
        cure = f"; parameters of a loss stand in its SPEC, as loss = 'huber:{key}=1'" if "loss" in known else ""
        fact = f"no such key{did_you_mean(key, known) or cure}; there are {listing(known, 40)}"
        error = InitErrorDetails(type=PydanticCustomError(UNKNOWN, "{fact}", {"fact": fact}), loc=(key,), input=key)
        raise ValidationError.from_exception_data(cls.__name__, [error])


class ToleranceTable(Table):
    """By how much a value may be above the earlier one. The larger of both counts; where neither is given, relative is 1e-9."""

    absolute: NotNegative | None = Field(None, description="In the units of the value.")
    relative: NotNegative | None = Field(None, description="As a share of the earlier value: 0.01 is one percent.")
    statistic: Literal[STATISTICS] = Field("value", description="The statistic that is compared.")  # type: ignore[valid-type]


class SumToleranceTable(ToleranceTable):
    """By how much the total may be above the earlier one. The larger of both counts."""

    statistic: Literal["value"] = Field("value", description="Of a sum, its total is compared.")


class OperandsTable(Table):
    """What defaults, measurements and terms have in common. Models with the options of compute are made from these."""

    predictions: Operand | None = Field(
        None, description="FILE, FILE:COLUMN, FILE.npz:KEY or a pattern; relative to the folder of the suite."
    )
    targets: Operand | None = Field(None, description="The same kinds of file, or one number for all predictions.")
    library: Library | None = Field(
        None, alias="as", description="The library whose number it is, with all its conventions."
    )


class JudgedTable(Table):
    """What is required of a measurement."""

    require: Requirements | None = Field(
        None,
        description="What must hold, one 'STAT OP NUMBER' or a list.",
        examples=[["mean <= 0.35", "samples >= 1000"]],
    )
    tolerance: ToleranceTable | None = None


class SlicedTable(Table):
    """What is required of slices."""

    by: Columns | None = Field(
        None,
        description="A column whose words make slices, or a list: a name, FILE or FILE:COLUMN.",
        examples=["region"],
    )
    require_each: Requirements | None = Field(
        None,
        alias="require-each",
        description="What must hold for every slice, one 'STAT OP NUMBER' or a list.",
        examples=[["value <= 0.4"]],
    )


class DefaultsTable(SlicedTable, JudgedTable, OperandsTable):
    """Operands and options of all measurements. An option is for the losses that take it, `require` for those that are no sums."""


class LossTable(OperandsTable):
    """A loss of two files, in a measurement or a term."""

    loss: Text = Field(description="A SPEC: a loss with its parameters.", examples=["cross-entropy", "huber:delta=1.5"])


class MeasurementTable(SlicedTable, JudgedTable, LossTable):
    """A loss of two files."""


class TermTable(LossTable):
    """A part of a weighted sum."""

    name: Text | None = Field(None, description="What requirements and reports call it. Default: the loss's name.")
    weight: Number = Field(1.0, description="Its factor in the sum.")


class SumTable(JudgedTable):
    """A weighted sum of losses, such as the objective of a training."""

    terms: list[TermTable] = Field(min_length=1, description="The parts of the sum.")
    tolerance: SumToleranceTable | None = None


class SuiteTable(Table):
    """A suite of measurements and requirements: what `losscli run` reads."""

    name: Text | None = Field(None, description="For reports. Default: the name of the file.")
    baseline: Text | None = Field(None, description="A JSON file of earlier results, which --save writes.")
    tolerance: ToleranceTable | None = None
    defaults: DefaultsTable | None = None
    measure: dict[str, MeasurementTable | SumTable] = Field(
        min_length=1, description="The measurements by their names: [measure.NAME]."
    )


def suite_table(options: Mapping[str, Option]) -> type[SuiteTable]:
    """The model of a whole suite file, whose measurements take these options of compute, by name."""
    fields: dict[str, Any] = {name: _field(option) for name, option in options.items()}
    term: Any = _extended("Term", TermTable, fields)
    terms = {"terms": (list[term], SumTable.model_fields["terms"])}
    single: Any = _extended("Measurement", MeasurementTable, fields)
    summed: Any = _extended("Sum", SumTable, terms)
    kind = Discriminator(lambda value: "<sum>" if isinstance(value, dict) and "terms" in value else "<loss>")
    measurement: Any = Annotated[Annotated[single, Tag("<loss>")] | Annotated[summed, Tag("<sum>")], kind]
    defaults: Any = _extended("Defaults", DefaultsTable, fields)
    measure = (dict[str, measurement], SuiteTable.model_fields["measure"])
    return _extended("Suite", SuiteTable, {"defaults": (defaults | None, None), "measure": measure})


def _extended(name: str, base: type[T], fields: dict[str, Any]) -> type[T]:
    """A table with more fields, or with fields of more precise types."""
    return create_model(name, __base__=base, __doc__=base.__doc__, **fields)


def _field(option: Option) -> tuple[Any, Any]:
    """The type of an option in a suite, and its default and help."""
    kind, typed = get_args(option.annotation)[:2]
    if get_origin(kind) is not Literal:
        kind = next(iter({*get_args(kind)} - {NoneType}), kind)
    if kind is not bool:
        kind = Words if kind is str else _or_taken_back({int: Whole, float: Number}.get(kind, kind))
    return kind, Field(option.default, description=typed.help)


def _or_taken_back(kind: Any) -> Any:
    """A kind of value, or false."""
    told_apart = Discriminator(lambda value: "<false>" if value is False else "<value>")
    return Annotated[Annotated[kind, Tag("<value>")] | TakenBack, told_apart]


FACTS = {
    "string_type": "{value} is not a text in quotes",
    "string_pattern_mismatch": "{value} is not a text in quotes",
    "float_type": "{value} is not a number that a float64 holds",
    "finite_number": "{value} is not a number that a float64 holds",
    "value_error": "{value} is not a number that a float64 holds",
    "int_type": "{value} is not a whole number",
    "greater_than_equal": "{value} is not a number >= {ge:g}",
    "less_than_equal": "{value} is not a number <= {le:g}",
    "bool_type": "{value} is neither true nor false",
    "model_type": "is not a table; write [{place}] with keys below it, or {{ key = value }}",
    "dict_type": "is not a table; write [{place}] with keys below it, or {{ key = value }}",
    "list_type": "is not a list of terms, [{{name = ..., loss = ..., ...}}, ...]",
    "too_short": "is not a list of terms, [{{name = ..., loss = ..., ...}}, ...]",
    "refused": "{value} {message}",
    UNKNOWN: "{message}",
}
"""What is said of each kind of error of pydantic."""


def checked(file: str, content: Mapping[str, Any], options: Mapping[str, Option]) -> SuiteTable:
    """The tables of a suite, from what TOML has read.

    Raises
    ------
    UsageError
        for a key that does not exist, or a value of a wrong type or outside its domain. Of several faults it says one: an unknown
        key before a wrong value, since a misspelt key is missing too.
    """
    try:
        return suite_table(options).model_validate(content)
    except ValidationError as error:
        first = min(error.errors(include_url=False), key=lambda one: one["type"] != UNKNOWN)
        raise UsageError(f"{file}: {_refusal(first)}") from error


def _refusal(error: ErrorDetails) -> str:
    """The place and the fact of an error of pydantic."""
    kind, at = error["type"], [part for part in error["loc"] if part not in TAGS]
    if at == ["measure"] and kind in ("missing", "too_short"):
        return "no [measure.NAME]: there is nothing to measure; see losscli run --init"
    if kind == "missing":
        return f"{_dotted(at[:-1])}: has no {at[-1]}; say {at[-1]} = 'cross-entropy'"
    place = _dotted(at)
    if at[-1] == "[key]":
        return f"{place}: a name with a comma or '='; give a FILE with a name and a number per row"
    if kind == "literal_error":
        choices = re.findall("'([^']*)'", error["ctx"]["expected"])
        near = did_you_mean(error["input"], choices) if isinstance(error["input"], str) else ""
        return f"{place}: {_short(error['input'])} is not {' or '.join(choices)}{near}"
    fact = FACTS.get(kind, "{message}")
    return f"{place}: " + fact.format(
        value=_short(error["input"]), place=place, message=error["msg"], **error.get("ctx", {})
    )


def _dotted(parts: Sequence[int | str]) -> str:
    """A place as TOML spells it; items of lists are counted from 1."""
    words = [f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in parts if part != "[key]"]
    return "".join(words).removeprefix(".")


def _short(value: Any) -> str:
    """A value as it can be shown: whole numbers may have thousands of digits."""
    try:
        text = repr(value)
    except ValueError:
        return "a whole number of thousands of digits"
    return text if len(text) <= 60 else f"{text[:60]}..."


class _Generator(GenerateJsonSchema):
    """JSON Schema without null, which TOML does not have, and without titles that repeat the keys."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        found = super().default_schema(schema)
        return {key: value for key, value in found.items() if (key, value) != ("default", None)}

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def json_schema(options: Mapping[str, Option]) -> dict[str, Any]:
    """The JSON Schema of suite files, with keywords that draft 4 has: editors of TOML know no later ones."""
    return {"$schema": "http://json-schema.org/draft-07/schema#"} | suite_table(options).model_json_schema(
        schema_generator=_Generator
    )
