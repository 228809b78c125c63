"use strict";
// The moving curves of a loss: reads what the page says of the loss (#loss) and the functions of programs.js, and draws into #moving.
// Ranges, ticks and words are those of losscli/gallery/svg.py and curve_words.py, so that nothing changes when this takes over.
{
  const STEPS = 1200, NEAR = 1e-9, JUMP = 1e-6;
  const INNER = {value: 0.01, slope: 0.08}, BAND = 0.06, FARTHEST = 1e140;  // the largest number that is drawn
  const MOST_LAID = 5, OUTGROWN = 1.75;
  const SAME = 1e-11, NOTHING = 1e-12, SHORT = 24, MOST = 6;
  const SLOW = 20, COARSE = 240;  // from so many milliseconds on, a curve that is dragged has so many steps
  const data = JSON.parse(document.getElementById("loss").textContent);
  const moving = document.getElementById("moving");
  const own = losscli.losses[data.name];
  const axes = data.axes.filter(axis => axis.name in own.axes);
  const state = {
    axis: axes[0], low: axes[0].low, high: axes[0].high, parameters: {...own.defaults}, laid: [], reading: 0.75 * STEPS,
  };

  // ---- numbers

  const drawable = value => Math.abs(value) <= FARTHEST;  // false for NaN
  const finite = y => y.filter(drawable);
  const largest = y => finite(y).reduce((most, one) => Math.max(most, Math.abs(one)), 0);

  function plain(number, digits = 3) {
    if (number === Infinity) return "infinity";
    if (number === -Infinity) return "-infinity";
    if (Number.isNaN(number)) return "no number";
    const rounded = Number(number.toPrecision(digits)) + 0;
    return rounded !== 0 && Math.abs(rounded) < 1e-4 ? rounded.toExponential() : String(rounded);
  }

  const typed = number => number === null ? "none" : number === Infinity ? "inf" : number === -Infinity ? "-inf" : String(number);

  function ticks(low, high, most = 6) {
    const raw = (high - low) / most, unit = 10 ** Math.floor(Math.log10(raw));
    const step = unit * [1, 2, 5, 10].find(factor => unit * factor >= raw * 0.999);
    const found = [];
    for (let i = Math.ceil(low / step - 1e-9); i <= Math.floor(high / step + 1e-9); i++) found.push(Number((i * step).toPrecision(12)));
    return found;
  }

  const label = number => plain(number, 6).replaceAll("-", "\u2212");

  // ---- curves

  function sampled(name, parameters, steps = STEPS) {
    const at = losscli.losses[name].axes[state.axis.name], {low, high} = state;
    const f = x => { const {value, slope} = at(x, parameters); return {x, value, slope}; };
    let points = [];
    for (let i = 0; i <= steps; i++) points.push(f(i === 0 ? low : i === steps ? high : (low * (steps - i) + high * i) / steps));
    const breaks = breaksOf(at, f, parameters, points, steps / 4);
    for (const one of breaks) points = points.filter(p => Math.abs(p.x - one.x) > NEAR * (high - low));
    points.push(...breaks.map(one => f(one.x)));
    points.sort((one, other) => one.x - other.x);
    return {name, f, x: points.map(p => p.x), value: points.map(p => p.value), slope: points.map(p => p.slope), breaks};
  }

  // Jumps and kinks between the ends, and where the value or the slope at an end is not what it is beside it.
  function breaksOf(at, f, parameters, points, steps) {
    const {low, high} = state, away = 1e-13 * (high - low);
    const size = {value: largest(points.map(p => p.value)), slope: largest(points.map(p => p.slope))};
    const found = losscli.breaks(at, parameters, low, high, steps);
    for (const [end, beside] of [[low, f(low + away)], [high, f(high - away)]]) {
      const here = f(end), one = {x: end};
      const grows = what => !Number.isFinite(here[what]) && Math.abs(beside[what]) > size[what];  // without end; an infinite slope beside small ones is no line
      if (["value", "slope"].some(what => !Number.isFinite(beside[what]) || grows(what))) continue;
      for (const what of ["value", "slope"]) one[what] = [beside[what], here[what], beside[what]];
      if (jumps(one.value, size.value) || jumps(one.slope, size.slope)) found.push(one);
    }
    return found.sort((one, other) => one.x - other.x);
  }

  const jumps = ([below, at, above], size) => Math.max(Math.abs(above - below), Math.abs(at - below), Math.abs(at - above)) > JUMP * size;

  const jumpsOf = (curve, what) => {
    const size = largest(curve[what]) || 0;
    return curve.breaks.filter(one => jumps(one[what], size));
  };

  // Points to be joined by lines; at a jump there is none between (null).
  function lineOf(curve, what) {
    const at = new Map(jumpsOf(curve, what).map(jump => [jump.x, jump[what]])), line = [];
    curve.x.forEach((x, i) => {
      const sides = at.get(x);
      if (sides) line.push([x, sides[0]], null, [x, sides[2]]); else line.push([x, curve[what][i]]);
    });
    return line;
  }

  function limits(y, what) {
    let shown = finite(y);
    if (shown.length < y.length) {
      const out = Math.max(1, Math.round(INNER[what] * y.length));
      shown = finite(y.slice(out, -out));
    }
    const low = Math.min(0, ...shown), high = shown.length ? Math.max(0, ...shown) : 1;
    return {low, high};
  }

  // The range of a panel: what the loss takes at its default parameters stays visible, so that the curve moves and not its axis.
  function rangeOf(curves, usual, what) {
    const own = limits(curves[0][what], what), before = limits(usual[what], what), others = curves.slice(1).map(one => limits(one[what], what));
    const reach = (now, then) => others.length || Math.abs(now) > Math.abs(then) / 4 ? (Math.abs(now) > Math.abs(then) ? now : then) : now;
    let low = reach(own.low, before.low), high = reach(own.high, before.high);
    const size = Math.max(high, -low) || 1;
    for (const one of others) {
      high = Math.max(high, Math.min(one.high, OUTGROWN * size));
      low = Math.min(low, Math.max(one.low, -OUTGROWN * size));
    }
    const room = BAND * ((high - low) || 1);
    return {low: low - room, high: high + room};
  }

  // ---- words, as curve_words.py says them

  function described(curve, letter) {
    const {x, value} = curve, parts = partsOf(curve);
    const list = parts.map((part, number) => said(curve, parts, number, letter)).join(", then ");
    const words = parts.length > MOST ? `changes its direction ${parts.length - 1} times between ${ends(value).join(" and ")}` : list;
    return `From ${letter} = ${plain(x[0])} to ${plain(x.at(-1))} the loss ${words}. ${gradientOf(curve, letter)}`;
  }

  function said(curve, parts, number, letter) {
    const {does, first, last} = parts[number], size = largest(curve.value), before = small(curve.value[first], size), after = small(curve.value[last], size);
    if (does === "jumps") return `jumps from ${before} to ${after} at ${letter} = ${plain(curve.x[Math.floor((first + last) / 2)])}`;
    const until = number < parts.length - 1 && parts[number + 1].does !== "jumps";
    if (does === "stays") return `stays at ${after}` + (until ? ` until ${letter} = ${plain(curve.x[last])}` : "");
    return `${does} ${number === 0 ? `from ${before} ` : ""}to ${after}` + (until ? ` at ${letter} = ${plain(curve.x[last])}` : "");
  }

  function gradientOf(curve, letter) {
    const [low, high] = ends(curve.slope), inner = jump => jump.x > curve.x[0] && jump.x < curve.x.at(-1);
    const places = jumpsOf(curve, "slope").filter(inner).map(jump => plain(jump.x));
    const words = low === high ? `Its gradient over ${letter} is ${low} everywhere` : `Its gradient over ${letter} lies between ${low} and ${high}`;
    return words + (places.length && places.length <= MOST ? `, and jumps at ${letter} = ${places.join(", ")}.` : ".");
  }

  const small = (number, size) => plain(Math.abs(number) < NOTHING * size ? 0 : number);

  function ends(y) {
    const known = y.filter(one => !Number.isNaN(one)), size = largest(y);
    return [small(Math.min(...known), size), small(Math.max(...known), size)];
  }

  function partsOf(curve) {
    const {x, value} = curve, same = SAME * largest(value), places = new Set(jumpsOf(curve, "value").map(jump => jump.x)), parts = [];
    for (let i = 0; i < x.length - 1; i++) {
      const change = value[i + 1] - value[i];
      const does = places.has(x[i]) || places.has(x[i + 1]) ? "jumps" : change > same ? "rises" : change < -same ? "falls" : "stays";
      if (parts.length && parts.at(-1).does === does) parts.at(-1).last = i + 1; else parts.push({does, first: i, last: i + 1});
    }
    const joined = [];
    parts.forEach((part, number) => {
      const inner = number > 0 && number < parts.length - 1, short = part.does === "stays" && part.last - part.first < SHORT;
      if (short && inner && parts[number - 1].does !== "jumps" && parts[number + 1].does !== "jumps") {
        const here = value.slice(part.first, part.last + 1), up = joined.at(-1).does === "rises";
        joined.at(-1).last = part.first + here.indexOf(up ? Math.max(...here) : Math.min(...here));
      } else if (joined.length && joined.at(-1).does === part.does) joined.at(-1).last = part.last;
      else joined.push({...part, first: joined.length ? joined.at(-1).last : part.first});
    });
    return joined;
  }

  // ---- elements

  function make(tag, attributes = {}, ...children) {
    const svg = ["svg", "path", "circle", "text"].includes(tag);
    const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value !== false && value !== undefined) made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children);
    return made;
  }

  const panels = make("div", {class: "panels"});
  const legend = make("ul", {class: "legend"}), about = make("p"), words = make("p", {class: "words"});
  const spoken = make("p", {class: "unseen", role: "status"});
  const figure = make("figure", {}, panels, legend, make("figcaption", {}, about, words));
  const letters = [];  // places that name the variable of the axis

  // A field for a number beside whatever sets it too; `read` returns what is wrong, or takes the number.
  function numberField(id, name, read) {
    const wrong = make("span", {class: "wrong", id: `${id}-wrong`, role: "alert"});
    const field = make("input", {
      type: "text", inputmode: "decimal", id, autocomplete: "off", spellcheck: "false", "aria-label": name, "aria-describedby": `${id}-wrong`,
      onchange: () => {
        const fault = read(field.value.trim().replace("\u2212", "-"));
        field.setAttribute("aria-invalid", fault ? "true" : "false");
        wrong.textContent = fault || "";
        if (!fault) draw();
      },
    });
    return {field, wrong, show: text => { field.value = text; field.setAttribute("aria-invalid", "false"); wrong.textContent = ""; }};
  }

  const WORDS = {inf: Infinity, "-inf": -Infinity, infinity: Infinity, "-infinity": -Infinity};
  const asNumber = text => text.toLowerCase() in WORDS ? WORDS[text.toLowerCase()] : text === "" ? NaN : Number(text);

  // ---- parameters

  function inside(domain, value) {
    const low = domain.low ?? -Infinity, high = domain.high ?? Infinity;
    const within = (domain.lowClosed ? value >= low : value > low) && (domain.highClosed ? value <= high : value < high);
    const between = domain.gap && value > domain.gap[0] && value < domain.gap[1];
    return within && !between && !(domain.step && value % domain.step);
  }

  function valueAt(item, place) {
    const {low, high, scale, steps} = item.slider;
    if (scale === "whole") return low + place * (high - low) / steps;
    const exact = scale === "log" ? low * (high / low) ** (place / steps) : low + (high - low) * place / steps;
    if (item.default !== null && Math.abs(placeOf(item, item.default) - place) < 0.51) return item.default;
    let value = Number(scale === "log" ? exact.toPrecision(3) : exact.toFixed(Math.max(0, 3 - Math.floor(Math.log10(high - low)))));
    const gap = item.domain.gap;
    if (gap && value > gap[0] && value < gap[1]) value = value - gap[0] < gap[1] - value ? gap[0] : gap[1];
    return value;
  }

  function placeOf(item, value) {
    const {low, high, scale, steps} = item.slider;
    if (value === null) return steps / 2;
    const part = scale === "log" ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
    return Math.min(steps, Math.max(0, part * steps));
  }

  const controls = data.parameters.map(item => {
    const id = `parameter-${item.name}`;
    const set = value => { state.parameters[item.name] = value; show(); };
    const {field, wrong, show: showText} = numberField(id, `${item.name}, as a number`, text => {
      if (item.optional && (text === "" || text.toLowerCase() === "none")) { set(null); return ""; }
      const value = asNumber(text);
      if (Number.isNaN(value) || !inside(item.domain, value)) return `${item.name} is in ${item.domain.text}${item.optional ? ", or none" : ""}`;
      set(value);
      return "";
    });
    const slider = make("input", {
      type: "range", id: `${id}-slider`, min: 0, max: item.slider.steps, step: 1,
      oninput: () => { set(valueAt(item, Number(slider.value))); dragged(); },
      onchange: () => draw(),
    });
    const show = () => {
      const value = state.parameters[item.name];
      slider.value = Math.round(placeOf(item, value));
      slider.setAttribute("aria-valuetext", typed(value));
      showText(typed(value));
    };
    show();
    return {item, show, row: make("div", {class: "parameter"}, make("label", {for: slider.id}, item.name), slider, field, wrong)};
  });

  function reset() {
    Object.assign(state.parameters, own.defaults);
    controls.forEach(one => one.show());
    draw();
  }

  // ---- the part of the axis that is shown, and the place that is read

  const bounds = ["low", "high"].map(end => {
    const made = numberField(`axis-${end}`, end === "low" ? "from" : "to", text => {
      const value = asNumber(text), {domain} = state.axis, other = end === "low" ? state.high : state.low;
      if (!Number.isFinite(value) || value < (domain.low ?? -1e140) || value > (domain.high ?? 1e140)) return `a number in ${domainText(domain)}`;
      if (end === "low" ? value >= other : value <= other) return "from is below to";
      state[end] = value;
      return "";
    });
    return {end, ...made};
  });
  const domainText = domain => `[${domain.low ?? "-inf"}, ${domain.high ?? "inf"}]`;
  const place = make("input", {
    type: "range", id: "reading", min: 0, max: STEPS, step: 1, oninput: () => { state.reading = Number(place.value); draw(false); },
  });
  const told = make("output", {id: "read", for: "reading"});
  const xAt = () => (state.low * (STEPS - state.reading) + state.high * state.reading) / STEPS;

  const chooser = make("select", {id: "axis", onchange: () => {
    state.axis = axes.find(axis => axis.name === chooser.value);
    state.low = state.axis.low;
    state.high = state.axis.high;
    state.laid = state.laid.filter(one => fits(one.name));
    choose();
    draw();
  }}, ...axes.map(axis => make("option", {value: axis.name}, axis.name)));

  // ---- other losses, laid over this one

  const axisOf = name => losscli.families[losscli.losses[name].family][state.axis.name];
  const beside = (name, other) => axisOf(name)?.beside.includes(losscli.losses[other].family);
  const fits = name => state.axis.name in losscli.losses[name].axes && beside(name, data.name);
  const neighbours = make("select", {id: "neighbours"});
  const add = make("button", {type: "button", id: "add", onclick: () => lay(neighbours.value, {...losscli.losses[neighbours.value].defaults})}, "Lay over");
  const keep = make("button", {type: "button", id: "keep", onclick: () => lay(data.name, {...state.parameters})}, "Keep this curve");
  const full = make("span", {class: "wrong", role: "alert"});

  function lay(name, parameters) {
    const twice = state.laid.some(one => specOf(one.name, one.parameters) === specOf(name, parameters));
    const apart = state.laid.find(one => !beside(name, one.name));
    full.textContent = state.laid.length >= MOST_LAID ? `${MOST_LAID} curves are laid over already; remove one first`
      : twice ? "this curve is there already"
      : apart ? `${name} and ${apart.name} are not drawn beside each other: over the ${axisOf(name).label}, and over the ${axisOf(apart.name).label}` : "";
    if (full.textContent) return;
    const used = state.laid.map(one => one.style);
    state.laid.push({name, parameters, style: [1, 2, 3, 4, 5].find(style => !used.includes(style))});
    draw();
  }

  function choose() {
    const names = Object.keys(losscli.losses).filter(name => name !== data.name && fits(name));
    const families = new Map([[losscli.losses[data.name].family, []]]);  // its own family first
    for (const name of names) {
      const {family} = losscli.losses[name];
      families.set(family, [...(families.get(family) ?? []), make("option", {value: name}, name)]);
    }
    neighbours.replaceChildren(...[...families].filter(([, members]) => members.length).map(([family, members]) => make("optgroup", {label: family}, ...members)));
    neighbours.disabled = add.disabled = !names.length;
    keep.hidden = !data.parameters.length;
    compared.hidden = !names.length && keep.hidden;
  }

  const specOf = (name, parameters) =>
    [name, ...Object.entries(parameters).filter(([, value]) => value !== null).map(([one, value]) => `${one}=${typed(value)}`)].join(":");
  const nameOf = (name, parameters) =>
    [name, ...Object.entries(parameters).filter(([, value]) => value !== null).map(([one, value]) => `${one} = ${typed(value)}`)].join(", ");

  // ---- drawing

  function path(line, across, up) {
    let text = "", joined = false;
    for (const point of line) {
      if (point === null || Number.isNaN(point[1])) { joined = false; continue; }
      text += `${joined ? "L" : "M"}${across(point[0]).toFixed(1)} ${up(point[1]).toFixed(1)}`;
      joined = true;
    }
    return text;
  }

  function panel(what, curves, usual, spokenWords) {
    const {letter} = state.axis, width = Math.max(240, slots[what].clientWidth || 460), height = Math.round(Math.min(330, Math.max(230, width * 0.65)));
    const title = what === "value" ? `loss f(${letter})` : `gradient df/d${letter}`;
    const range = rangeOf(curves, usual, what), marks = ticks(range.low, range.high);
    const left = 14 + 7.2 * Math.max(...marks.map(mark => label(mark).length)), right = 12, top = 26, bottom = 44;
    const wide = width - left - right, tall = height - top - bottom;
    const across = x => (x - state.low) / (state.high - state.low) * wide;
    const up = y => Math.min(4 * tall, Math.max(-3 * tall, (range.high - y) / (range.high - range.low) * tall));
    const picture = make("svg", {
      class: "panel", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${title}: ${spokenWords}`,
      onpointermove: event => {
        const box = picture.getBoundingClientRect(), x = (event.clientX - box.left) * width / box.width - left;
        state.reading = Math.round(Math.min(1, Math.max(0, x / wide)) * STEPS);
        draw(false);
      },
    }, make("text", {class: "title", x: left, y: 15}, title));
    for (const mark of marks) {
      const y = top + up(mark);
      picture.append(make("path", {class: mark === 0 ? "axis" : "grid", d: `M${left} ${y}h${wide}`}));
      picture.append(make("text", {x: left - 7, y, dy: ".35em", "text-anchor": "end"}, label(mark)));
    }
    for (const mark of ticks(state.low, state.high, Math.min(6, Math.floor(wide / 45)))) {
      const x = left + across(mark);
      picture.append(make("path", {class: "axis", d: `M${x} ${height - bottom}v5`}));
      picture.append(make("text", {x, y: height - bottom + 19, "text-anchor": "middle"}, label(mark)));
    }
    picture.append(make("text", {x: left + wide / 2, y: height - 6, "text-anchor": "middle"}, letter));
    const inner = make("svg", {x: left, y: top, width: wide, height: tall});
    for (const curve of [...curves.slice(1), curves[0]]) {
      const style = `c${curve.style}`;
      for (const jump of jumpsOf(curve, what)) {
        const [below, at, above] = jump[what], x = across(jump.x);
        if (Number.isFinite(below) && Number.isFinite(above)) inner.append(make("path", {class: `jump ${style}`, d: `M${x} ${up(below)}V${up(above)}`}));
        if (Number.isFinite(at)) inner.append(make("circle", {class: `dot ${style}`, cx: x, cy: up(at), r: 3.5}));
      }
      inner.append(make("path", {class: `line ${style}`, d: path(lineOf(curve, what), across, up)}));
    }
    picture.append(inner, make("path", {class: "reading", d: `M${left + across(xAt())} ${top}v${tall}`}));
    for (const curve of curves) {
      const y = curve.f(xAt())[what];
      if (y >= range.low && y <= range.high) picture.append(make("circle", {class: `spot c${curve.style}`, cx: left + across(xAt()), cy: top + up(y), r: 4}));
    }
    return picture;
  }

  function legendOf(curves) {
    if (curves.length < 2) return [];
    return curves.map((curve, number) => {
      const here = curve.f(xAt()), {parameters} = number ? state.laid[number - 1] : state;
      const name = nameOf(curve.name, parameters);
      const swatch = make("svg", {viewBox: "0 0 36 8", class: "swatch", "aria-hidden": "true"}, make("path", {class: `line c${curve.style}`, d: "M0 4H36"}));
      const numbers = make("span", {class: "numbers"}, `loss ${plain(here.value, 7)}, gradient ${plain(here.slope, 7)}`);
      const item = make("li", {}, swatch, number && curve.name !== data.name ? make("a", {href: `${curve.name}.html`}, name) : make("span", {}, name), numbers);
      const {label: over} = axisOf(curve.name);
      if (over !== state.axis.label) item.append(make("span", {class: "numbers"}, `(${over})`));
      if (number) item.append(make("button", {type: "button", "aria-label": `Remove ${name}`, onclick: () => { state.laid.splice(number - 1, 1); full.textContent = ""; draw(); neighbours.focus(); }}, "\u00d7"));
      return item;
    });
  }

  let cached = null, speaking = 0, waiting = 0, took = 0, usual = {key: ""};
  const slots = {value: make("div"), slope: make("div")};

  // Draws in the next frame, however often something changes until then; with fewer steps while a slider moves, if that takes too long.
  function dragged() {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => draw(true, took > SLOW ? COARSE : STEPS));
  }

  function draw(anew = true, steps = STEPS) {
    const {letter, label: over} = state.axis;
    cancelAnimationFrame(waiting);
    if (anew || !cached) {
      const began = performance.now();
      const curve = (name, parameters, style) => ({...sampled(name, parameters, steps), style});
      const curves = [curve(data.name, state.parameters, 0), ...state.laid.map(one => curve(one.name, one.parameters, one.style))];
      if (steps === STEPS) took = performance.now() - began;
      const key = [state.axis.name, state.low, state.high].join();
      if (usual.key !== key) usual = {...sampled(data.name, own.defaults), key};
      cached = {curves, words: described(curves[0], letter)};
    }
    const {curves, words: text} = cached;
    for (const what of ["value", "slope"]) slots[what].replaceChildren(panel(what, curves, usual, text));
    const focused = document.activeElement?.closest?.(".legend");
    if (anew || !focused) legend.replaceChildren(...legendOf(curves));
    legend.hidden = curves.length < 2;
    const here = curves[0].f(xAt());
    told.textContent = `At ${letter} = ${plain(here.x, 7)}: loss ${plain(here.value, 7)}, gradient ${plain(here.slope, 7)}`;
    place.value = state.reading;
    place.setAttribute("aria-valuetext", `${letter} = ${plain(here.x, 7)}`);
    if (!anew) return;
    const settings = Object.entries(state.parameters).filter(([, value]) => value !== null).map(([name, value]) => `${name} = ${typed(value)}`);
    about.textContent = `Over the ${over}.${settings.length ? ` At ${settings.join(", ")}.` : ""}`;
    words.textContent = text;
    clearTimeout(speaking);
    speaking = setTimeout(() => { if (spoken.textContent || text !== first) spoken.textContent = text; }, 700);
    bounds.forEach(one => one.show(typed(state[one.end])));
    for (const one of letters) one.textContent = letter;
    chooser.value = state.axis.name;
    commands();
  }

  function commands() {
    const options = Object.entries(state.parameters).filter(([, value]) => value !== null).map(([name, value]) => ` --${name.replaceAll("_", "-")} ${typed(value)}`);
    const spec = specOf(data.name, state.parameters), {axis, low, high} = state;
    const over = axis === data.axes[0] ? "" : ` --x ${axis.name}`, range = low === axis.low && high === axis.high ? "" : ` --range ${low},${high}`;
    const lines = {
      explain: `losscli explain ${spec}`,
      draw: `losscli plot curves ${[spec, ...state.laid.map(one => specOf(one.name, one.parameters))].join(" ")}${over}${range} -o ${data.name}.png`,
      compute: data.command + options.join(""),
    };
    for (const [id, line] of Object.entries(lines)) document.getElementById(id).textContent = line;
  }

  // ---- the page

  const letterOf = () => { const made = make("i"); letters.push(made); return made; };
  const legended = (title, ...children) => make("fieldset", {}, make("legend", {}, title), ...children);
  const compared = legended("Compare", make("div", {class: "row"}, make("label", {for: "neighbours"}, "Another loss"), neighbours, add, keep, full));
  const form = make("form", {class: "controls", "aria-label": "The curve", onsubmit: event => event.preventDefault()});
  if (controls.length) form.append(legended("Parameters", make("div", {class: "parameters"}, ...controls.map(one => one.row)), make("button", {type: "button", id: "reset", onclick: reset}, "Reset")));
  const view = legended("View");
  if (axes.length > 1) view.append(make("div", {class: "row"}, make("label", {for: "axis"}, "Over the"), chooser));
  view.append(
    make("div", {class: "row"}, make("label", {for: "reading"}, "Read at"), place, told),
    make("div", {class: "row ends"}, letterOf(), make("label", {for: "axis-low"}, "from"), bounds[0].field, make("label", {for: "axis-high"}, "to"), bounds[1].field, bounds[0].wrong, bounds[1].wrong),
  );
  form.append(view, compared);
  panels.append(slots.value, slots.slope);
  moving.append(figure, form, spoken);
  moving.hidden = false;
  for (const still of document.querySelectorAll("#still figure")) still.hidden = still.dataset.axis in own.axes;
  choose();
  draw();
  const first = cached.words;
  let before = 0;
  new ResizeObserver(() => {
    if (Math.abs(slots.value.clientWidth - before) > 1) { before = slots.value.clientWidth; draw(false); }
  }).observe(panels);
}
