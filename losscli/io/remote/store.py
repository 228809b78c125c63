"""Connections to object stores and web servers, through obstore, and what their errors mean.

Credentials come from the environment and from the usual files, and go nowhere else: what a server or obstore says is
never passed on as it is, since it may repeat an address with its signature.
"""

import json
import os
import re
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from losscli.definition.address import CUT, complete
from losscli.errors import DataError, UsageError
from losscli.records import NamedTuple
from losscli.version import __version__

if TYPE_CHECKING:
    from obstore.store import ObjectStore

MOST_RETRIES = 6
"""How often a request is repeated that a server answers with 5xx or 429, or that finds no connection."""
FIRST_WAIT = 0.1
"""Seconds before a request is repeated for the first time; they double."""
CONNECT = "10s"
SILENCE = "30s"
"""A connection over which nothing comes for so long is given up."""
LONGEST = "10min"
"""Time that one request may take."""
ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT", "AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT")
"""Variables that say which server to ask; one that begins with http:// says that it may be asked without encryption."""
VARIABLES = ("AWS_", "GOOGLE_", "AZURE_", "SSL_CERT_FILE")
PLAIN = re.compile(r"[\w./=-]*", re.ASCII)
"""Paths that are written in the same way in every address."""
STATUS = re.compile(r"status code: (\d{3})\b[^:]*(?::\s*(.*))?", re.DOTALL)
NO_CREDENTIALS = re.compile(
    r"169\.254\.\d+\.\d+|/latest/(api|meta-data)/|metadata\.google\.internal|Missing(AccessKey|SecretKey|Credentials)"
)
"""What obstore says if it looked for credentials where only machines of a cloud have them."""
CURES = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile in ~/.aws/credentials; for public data, AWS_SKIP_SIGNATURE=true",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, or gcloud auth application-default login; for public data, GOOGLE_SKIP_SIGNATURE=true",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY; for public data, AZURE_SKIP_SIGNATURE=true",
    "hf": "HF_TOKEN, or hf auth login",
}
"""Where credentials come from, for messages."""


class Address(NamedTuple):
    """The address of an object: `name` is how it is shown, `place` its bucket or server, `key` the rest of it."""

    name: str
    scheme: str
    place: str
    key: str

    @classmethod
    def parse(cls, name: str) -> "Address":
        """Return the parts of an address.

        Raises
        ------
        UsageError
            if it has no bucket or server, or is of a form that is not taken.
        """
        scheme, _, rest = name.partition("://")
        place, _, key = rest.partition("/")
        if not place:
            example = "//server/file.npy" if scheme.startswith("http") else "//bucket/file.npy"
            raise UsageError(
                f"{name}: names no {'server' if scheme.startswith('http') else 'bucket'}; say {scheme}:{example}"
            )
        if "@" in place:
            raise UsageError(f"{name}: names a user; give a signed address instead, whose signature is never shown")
        if scheme.lower() in ("s3", "gs", "az") and ("//" in f"/{key}" or {"..", "."} & set(key.split("/"))):
            raise UsageError(f"{name}: obstore reads no keys with empty parts or dots as parts; copy it to another key")
        return cls(name, scheme.lower(), place, key)

    @property
    def listed(self) -> bool:
        """Whether the files beside this one can be listed."""
        return self.scheme in ("s3", "gs", "az")

    def with_key(self, key: str) -> "Address":
        """Return the address of another object of the same bucket."""
        return Address(f"{self.scheme}://{self.place}/{key}", self.scheme, self.place, key)

    def connect(self) -> "tuple[ObjectStore, str]":
        """Return the store that has the object, and the object's path in it."""
        if self.listed:
            return _bucket(os.getpid(), self.scheme, self.place, _environment()), self.key
        try:
            url = complete(of_hub(self.name) if self.scheme == "hf" else self.name)
        except KeyError:
            raise DataError(
                f"{self.name}: its query may be a secret, and stays in the process in which it was typed; "
                "for other processes, use s3:// and credentials that they have too"
            ) from None
        server, path = re.fullmatch(r"(\w+://[^/?#]*)/?(.*)", url, re.DOTALL).groups()  # type: ignore[union-attr]
        token = hub_token() if self.scheme == "hf" else None
        if PLAIN.fullmatch(path) and not re.search(r"(^|/)(\.*)(/|$)", path):
            return _server(os.getpid(), server, token), path
        return _server(os.getpid(), url, token), ""


def obstore() -> Any:
    """Return the package obstore; raise a DataError if it is not installed."""
    try:
        import obstore as package
    except ImportError:
        raise DataError(
            "files that live elsewhere are read through obstore, which is not installed; pip install 'losscli[remote]'"
        ) from None
    _share_freed_memory()
    return package


@cache
def _share_freed_memory() -> None:
    # Answers of several megabytes are made in obstore's threads and freed in ours. glibc has heaps for each thread, and
    # would give the memory of most answers back to the system and get new pages for the next one, which takes a third
    # of the processor's time; with one heap for all threads it is used again.
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        most_heaps = -8
        mallopt(most_heaps, 1)


def errors() -> tuple[type[Exception], ...]:
    """Return the errors that obstore raises; they repeat addresses and what servers say, and must not be shown."""
    obstore()
    from obstore.exceptions import BaseError

    return BaseError, OSError, ValueError


def _environment() -> tuple[tuple[str, str], ...]:
    """Return what the environment says of credentials and servers, which a program may change while it runs."""
    return tuple((name, value) for name, value in os.environ.items() if name.startswith(VARIABLES))


@cache
def _bucket(process: int, scheme: str, bucket: str, environment: tuple[tuple[str, str], ...]) -> Any:
    """Return the store of a bucket, one for each process and for what its environment says."""
    obstore()
    from obstore import store as stores

    options = _options()
    said = dict(environment)
    options["client_options"]["allow_http"] = any(
        said.get(f"{cloud}_ALLOW_HTTP", "").lower() in ("true", "1") for cloud in ("AWS", "GOOGLE", "AZURE")
    ) or any(said.get(name, "").startswith("http://") for name in ENDPOINTS)
    try:
        if scheme == "s3":
            config: Any = _of_aws_files()
            options["client_options"]["allow_http"] |= config.get("endpoint", "").startswith("http://")
            return stores.S3Store(bucket, config=config, **options)
        kind = stores.GCSStore if scheme == "gs" else stores.AzureStore
        return kind(bucket, **options)
    except errors() as error:
        why = re.sub(r"\s+", " ", str(error).partition("\n\nDebug source")[0])[:200]
        raise DataError(
            f"{scheme}://{bucket}: cannot be opened ({_harmless(why)}); credentials: {CURES[scheme]}"
        ) from None


@cache
def _server(process: int, url: str, token: str | None) -> Any:
    """Return the store of a web server, or of one file of it."""
    obstore()
    from obstore.store import HTTPStore

    options = _options()
    options["client_options"]["allow_http"] = url.lower().startswith("http://")
    if token is not None:
        options["client_options"]["default_headers"] = {"Authorization": f"Bearer {token}"}
    try:
        return HTTPStore(url, **options)
    except errors():
        raise UsageError(f"{re.sub('[?].*', '', url)}: not an address; is it spelt right?") from None


def _options() -> dict[str, Any]:
    """Return how a store waits and repeats requests."""
    waits = {
        "init_backoff": timedelta(seconds=FIRST_WAIT),
        "max_backoff": timedelta(seconds=10),
        "base": 2,
    }
    client: dict[str, Any] = {
        "connect_timeout": CONNECT,
        "read_timeout": SILENCE,
        "timeout": LONGEST,
        "user_agent": f"losscli/{__version__}",
    }
    certificates = [os.environ.get(name, "") for name in ("SSL_CERT_FILE", "AWS_CA_BUNDLE")]
    if any(map(os.path.isfile, certificates)):
        client["root_certificate"] = "\n".join(
            Path(file).read_text(errors="replace") for file in certificates if os.path.isfile(file)
        )
    retry = {"max_retries": MOST_RETRIES, "retry_timeout": timedelta(minutes=2), "backoff": waits}
    return {"client_options": client, "retry_config": retry}


def _of_aws_files() -> dict[str, str]:
    """Return what the files of the AWS command line say and the environment does not: keys, region and endpoint."""
    import configparser

    env = os.environ
    profile = env.get("AWS_PROFILE") or env.get("AWS_DEFAULT_PROFILE") or "default"
    said: dict[str, str] = {}
    files = (
        (env.get("AWS_CONFIG_FILE") or "~/.aws/config", profile if profile == "default" else f"profile {profile}"),
        (env.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials", profile),
    )
    for file, section in files:
        parser = configparser.RawConfigParser(default_section="", strict=False)
        try:
            parser.read(os.path.expanduser(file), encoding="utf-8")
        except (configparser.Error, OSError, UnicodeDecodeError):
            raise DataError(f"{file}: not a file of the AWS command line that can be read; correct it") from None
        said |= dict(parser[section]) if parser.has_section(section) else {}
    if not said and "AWS_PROFILE" in env and not env.get("AWS_ACCESS_KEY_ID"):
        raise DataError(f"AWS_PROFILE={profile}: neither ~/.aws/config nor ~/.aws/credentials has this profile")
    config = {}
    if not (env.get("AWS_ACCESS_KEY_ID") or env.get("AWS_SKIP_SIGNATURE") or env.get("AWS_WEB_IDENTITY_TOKEN_FILE")):
        names = {
            "aws_access_key_id": "access_key_id",
            "aws_secret_access_key": "secret_access_key",
            "aws_session_token": "session_token",
        }
        config = {ours: said[name] for name, ours in names.items() if said.get(name)}
        other = next(
            (key for key in ("sso_session", "sso_start_url", "role_arn", "credential_process") if said.get(key)), None
        )
        if other and not config:
            raise DataError(
                f"~/.aws/config: the profile {profile!r} gets its credentials by {other}, which losscli does not do; "
                'first say: eval "$(aws configure export-credentials --format env)"'
            )
    if not (env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION")) and said.get("region"):
        config["region"] = said["region"]
    if not any(env.get(name) for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT")) and said.get(
        "endpoint_url"
    ):
        config["endpoint"] = said["endpoint_url"]
    return config


def of_hub(name: str) -> str:
    """Return the https address that an hf:// address stands for.

    Raises
    ------
    UsageError
        if it does not name a repository and a file in it.
    """
    parts = name.partition("://")[2].split("/")
    kind = parts.pop(0) + "/" if parts[0] in ("datasets", "spaces") else ""
    if len(parts) < 3 or not all(parts):
        raise UsageError(
            f"{name}: names no file of a repository; say hf://datasets/USER/NAME/FILE, or hf://USER/NAME/FILE"
        )
    user, repository, *file = parts
    repository, _, revision = repository.partition("@")
    hub = os.environ.get("HF_ENDPOINT", "").rstrip("/") or "https://huggingface.co"
    return f"{hub}/{kind}{user}/{repository}/resolve/{quote(revision or 'main', safe='')}/{quote('/'.join(file))}"


def hub_token() -> str | None:
    """Return the token for Hugging Face from the environment, or from the file in which its command line keeps it."""
    if token := os.environ.get("HF_TOKEN", "").strip():
        return token
    home = os.environ.get("HF_HOME") or "~/.cache/huggingface"
    file = os.environ.get("HF_TOKEN_PATH") or f"{home}/token"
    try:
        return Path(os.path.expanduser(file)).read_text().strip() or None
    except OSError:
        return None


class Answer(NamedTuple):
    """What a server said: the status of its answer, if there was one, and its own words about it."""

    status: int | None
    words: str

    @classmethod
    def of(cls, error: BaseException) -> "Answer":
        text = str(error).partition("\n\nDebug source")[0]
        status = STATUS.search(text)
        if status is None:
            return cls(None, "")
        return cls(int(status[1]), _words(status[2] or ""))

    @property
    def said(self) -> str:
        return f"{self.status}{f' {self.words}' if self.words else ''}"


def _words(body: str) -> str:
    """Return the code and message of an error in XML or JSON; nothing of a body in other forms, such as a page."""
    fields = [re.search(rf"<{tag}>([^<]*)</{tag}>", body) for tag in ("Code", "Message")]
    words = ": ".join(field[1].strip() for field in fields if field)
    if not words and body.lstrip().startswith("{"):
        try:
            record: Any = json.loads(body)
            record = record.get("error", record)
            words = str(record.get("message", "")) if isinstance(record, dict) else str(record)
        except (ValueError, AttributeError, RecursionError):
            words = ""
    return _harmless(" ".join(words.split()).rstrip("."))[:200]


def _harmless(words: str) -> str:
    """Return words without what may be a secret: queries of addresses, and long runs of letters and digits."""
    return re.sub(r"[A-Za-z0-9+/=_%-]{33,}", "...", re.sub(r"\?\S+", "?...", words))


def is_missing(error: BaseException) -> bool:
    """Whether an error says that there is no such object, or may say so: some servers say 403 in place of 404."""
    return isinstance(error, FileNotFoundError) or Answer.of(error).status in (403, 404)


def is_changed(error: BaseException) -> bool:
    """Whether an error says that the object is another one than before."""
    return type(error).__name__ == "PreconditionError" or Answer.of(error).status == 412


def is_passing(error: BaseException) -> bool:
    """Whether an answer broke off: obstore goes on by itself only where the server gives an ETag."""
    text = str(error)
    return type(error).__name__ == "GenericError" and (
        "response body error" in text or "kind: Body" in text or "kind: Decode" in text
    )


def changed(name: str) -> DataError:
    """Return the error about an object that was replaced while it was read."""
    return DataError(f"{name}: the object was replaced while it was read; run again when it is written")


def failure(address: Address, error: BaseException, what: str = "read") -> DataError:
    """Return the error to raise for what a server or obstore said about an object.

    `what` is what was tried: 'read', 'listed' or 'written'.
    """
    answer = Answer.of(error)
    return DataError(f"{address.name}: {_fact_and_cure(address, error, answer, what)}")


def _fact_and_cure(address: Address, error: BaseException, answer: Answer, what: str) -> str:
    status, tries = answer.status, MOST_RETRIES + 1
    credentials = CURES.get(address.scheme)
    if credentials and NO_CREDENTIALS.search(str(error)):
        return f"cannot be {what}: no credentials; say {credentials}"
    if status == 404 and what == "written":
        return f"cannot be written: the server said {answer.said}; is the bucket's name right?"
    if isinstance(error, FileNotFoundError) or status == 404:
        said = f" (the server said {answer.said or 404})"
        return f"no such {'file' if address.scheme.startswith('h') else 'object'}{said}; is the address right?"
    if status in (401, 403):
        cure = (
            f"credentials: {credentials}"
            if credentials
            else "does the address need a login, or has its signature expired?"
        )
        return f"cannot be {what}: the server said {answer.said}; {cure}"
    if status in (301, 307, 400) and address.scheme == "s3":
        return f"cannot be {what}: the server said {answer.said}; is AWS_REGION the bucket's region?"
    if status is not None and (status >= 500 or status in (408, 429)):
        return f"cannot be {what}: the server said {answer.said}, {tries} times; try again later"
    if status is not None:
        return f"cannot be {what}: the server said {answer.said}; is the address right?"
    return f"cannot be {what}: {_connection(str(error))}; is the address right, and the network there? Then try again"


def _connection(text: str) -> str:
    """Return what is wrong with a connection, in words."""
    facts = {
        r"dns error|lookup address|Name or service": "there is no server of this name",
        r"Connection refused|code: 111": "the server takes no connection",
        r"certificate|UnknownIssuer|Certificate": "the server's certificate is not trusted (SSL_CERT_FILE names more of them)",
        r"TimedOut|kind: Timeout|timed out": "the server does not answer in time",
        r"builder error|BadScheme": "http:// is not encrypted, and is taken for endpoints of that form only",
        r"response body error|kind: Body|Decode|kind: Connect|error sending request": "the connection broke off, several times",
    }
    return next((fact for words, fact in facts.items() if re.search(words, text)), "there is no answer")


def without_query(name: str) -> str:
    """Return the name of an address without the sign of a query that was cut off, by whose suffix its format is told."""
    return re.sub(CUT, "", name)
