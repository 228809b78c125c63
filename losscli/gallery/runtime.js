/* What translated formulas of losscli compute with: numbers that carry their derivative along, by the grammar's rules.

   A number that does not depend on x is a JavaScript number. One that does is a Dual: its value v, its derivative d by x
   and, where it is known better than from v, its logarithm l. So log(1 + exp(x)) neither overflows nor loses digits, and
   1 - exp(-x) is as exact as expm1. A vector or list is an array. */
const losscli = (() => {
  "use strict";

  class Dual {
    constructor(v, d, l = null, terms = null) {
      this.v = v;
      this.d = d;
      this.l = l;
      this.terms = terms; // of a logarithm of a sum: the logarithms of what was added
    }
  }

  /* Which way every comparison went, while breaks are looked for; null otherwise. */
  let decisions = null;
  const decided = (which) => {
    if (decisions !== null) decisions.push(which);
    return which;
  };

  const isDual = (a) => a instanceof Dual;
  const value = (a) => (isDual(a) ? a.v : a);
  const slope = (a) => (isDual(a) ? a.d : 0);
  const times = (a, b) => (a === 0 || b === 0 ? 0 : a * b);
  const over = (a, b) => (a === 0 ? 0 : b === 0 ? a * Infinity : a / b);

  /* A number with a known logarithm, from which value and derivative come where they overflow. */
  const known = (v, d, l) => {
    if (l === null || (Number.isFinite(v) && Number.isFinite(d) && v > 0)) return new Dual(v, d, l);
    const from = Math.exp(l.v);
    return new Dual(from, times(from, l.d), l);
  };
  const logOf = (a) => {
    if (!isDual(a)) return new Dual(Math.log(a), 0);
    if (a.l !== null) return a.l;
    return new Dual(Math.log(a.v), a.v === Infinity && Math.abs(a.d) === Infinity ? a.d : over(a.d, a.v));
  };
  const positive = (a) => value(a) > 0 || (isDual(a) && a.l !== null);
  const knows = (a) => isDual(a) && a.l !== null;
  /* log(exp(a) + exp(b)) */
  const joined = (a, b) => {
    const [p, q] = a.v >= b.v ? [a, b] : [b, a];
    if (q.v === -Infinity || p.v === Infinity) return p;
    const e = Math.exp(q.v - p.v);
    const terms = [...(a.terms ?? [a]), ...(b.terms ?? [b])];
    return new Dual(p.v + Math.log1p(e), (p.d + times(e, q.d)) / (1 + e), null, terms);
  };
  /* exp(a) - exp(b), of numbers that overflow */
  const apart = (a, b) => {
    if (a.v === b.v) return new Dual(0, 0);
    const [p, q, sign] = a.v > b.v ? [a, b, 1] : [b, a, -1];
    const e = Math.exp(q.v - p.v);
    const l = new Dual(p.v + Math.log1p(-e), (p.d - times(e, q.d)) / (1 - e));
    const v = Math.exp(l.v);
    return new Dual(sign * v, sign * times(v, l.d), sign > 0 ? l : null);
  };
  /* log(exp(a) + exp(b) + ...) - a, without the digits that a would take away; null if a is not one of the terms. */
  const beyond = (total, a) => {
    const i = total.terms.findIndex((one) => one.v === value(a) && one.d === slope(a));
    if (i < 0) return null;
    const others = total.terms.filter((_, j) => j !== i).map((one) => new Dual(one.v - value(a), one.d - slope(a)));
    return [new Dual(0, 0), ...others].reduce(joined);
  };
  const plus = (a, b) => new Dual(a.v + b.v, a.d + b.d);
  const minus = (a, b) => new Dual(a.v - b.v, a.d - b.d);
  const scaled = (a, k) => new Dual(times(k, a.v), times(k, a.d));

  /* A function of two numbers, and of vectors one by one. */
  const binary = (work) => {
    const each = (a, b) => {
      if (!Array.isArray(a)) return Array.isArray(b) ? b.map((one) => each(a, one)) : work(a, b);
      return Array.isArray(b) ? paired(a, b).map((one, i) => each(a[i], one)) : a.map((one) => each(one, b));
    };
    return (a, b) => (typeof a === "object" || typeof b === "object" ? each(a, b) : work(a, b));
  };
  const unary = (work) => {
    const each = (a) => (Array.isArray(a) ? a.map(each) : work(a));
    return each;
  };
  const paired = (a, b) => {
    if (a.length !== b.length) throw new RangeError(`vectors of ${a.length} and ${b.length} numbers`);
    return b;
  };

  const add = binary((a, b) => {
    if (!isDual(a) && !isDual(b)) return a + b;
    if (a === 0 || b === 0) return a === 0 ? b : a;
    const v = value(a) + value(b), d = slope(a) + slope(b);
    if (knows(a) || knows(b)) return positive(a) && positive(b) ? known(v, d, joined(logOf(a), logOf(b))) : new Dual(v, d);
    const other = a === 1 ? b : b === 1 ? a : null;
    return new Dual(v, d, other !== null && other.v > -1 ? new Dual(Math.log1p(other.v), over(d, v)) : null);
  });
  const sub = binary((a, b) => {
    if (!isDual(a) && !isDual(b)) return a - b;
    if (b === 0) return a;
    const [total, one, way] = isDual(a) && a.terms !== null ? [a, b, 1] : [b, a, -1];
    const rest = isDual(total) && total.terms !== null ? beyond(total, one) : null;
    if (rest !== null) return new Dual(way * rest.v, way * rest.d);
    const d = slope(a) - slope(b);
    if (b === 1 && knows(a)) return new Dual(Math.expm1(a.l.v), d);
    if (knows(a) && knows(b) && value(a) - value(b) !== value(a) - value(b)) return apart(a.l, b.l); // inf - inf
    if (a !== 1) return new Dual(value(a) - value(b), d);
    const v = b.l !== null ? -Math.expm1(b.l.v) : 1 - b.v;
    return new Dual(v, d, v > 0 ? new Dual(b.v < 0.5 ? Math.log1p(-b.v) : Math.log(v), over(d, v)) : null);
  });
  const mul = binary((a, b) => {
    if (!isDual(a) && !isDual(b)) return times(a, b);
    if (a === 0 || b === 0) return 0;
    const va = value(a), vb = value(b);
    const l = (knows(a) || knows(b)) && positive(a) && positive(b) ? plus(logOf(a), logOf(b)) : null;
    return known(times(va, vb), times(slope(a), vb) + times(va, slope(b)), l);
  });
  const div = binary((a, b) => {
    const va = value(a), vb = value(b);
    if (!isDual(a) && !isDual(b)) return over(va, vb);
    const v = over(va, vb);
    const l = (knows(a) || knows(b)) && positive(a) && positive(b) ? minus(logOf(a), logOf(b)) : null;
    return known(v, l !== null ? times(v, l.d) : over(slope(a), vb) - times(over(v, vb), slope(b)), l);
  });
  const raised = (a, n) => {
    if (n === 1) return a;
    return n === 2 ? a * a : n === 3 ? a * a * a : Math.pow(a, n);
  };
  const pow = binary((a, n) => {
    if (n === 0) return 1;
    if (isDual(n)) return exp(mul(n, log(a)));
    if (!isDual(a)) return raised(a, n);
    decided(Math.sign(a.v)); // where sqrt(x**2) has its kink
    const slant = a.v === 0 ? (n === 1 ? 1 : n > 1 ? 0 : n * Infinity) : times(n, raised(a.v, n - 1));
    return known(raised(a.v, n), times(slant, a.d), a.l === null ? null : scaled(a.l, n));
  });
  const neg = unary((a) => (isDual(a) ? new Dual(-a.v, -a.d) : -a));
  const exp = unary((a) => {
    if (!isDual(a)) return Math.exp(a);
    const v = Math.exp(a.v);
    return new Dual(v, times(v, a.d), new Dual(a.v, a.d));
  });
  const log = unary((a) => {
    if (!isDual(a)) return Math.log(a);
    const l = logOf(a);
    return new Dual(l.v, l.d, null, l.terms);
  });
  /* A function of a number, from its value and its derivative there. */
  const function_ = (work, derivative) => unary((a) => (isDual(a) ? new Dual(work(a.v), times(derivative(a.v), a.d)) : work(a)));
  const sqrt = unary((a) => {
    if (!isDual(a)) return Math.sqrt(a);
    const v = Math.sqrt(a.v);
    return known(v, times(over(0.5, v), a.d), a.l === null ? null : scaled(a.l, 0.5));
  });
  const side = (a) => {
    const which = Math.sign(value(a));
    return isDual(a) ? decided(which) : which;
  };
  const abs = unary((a) => {
    const which = side(a);
    return isDual(a) ? new Dual(Math.abs(a.v), times(which, a.d), which > 0 ? a.l : null) : Math.abs(a);
  });
  const sign = unary(side);
  const floor = unary((a) => {
    const v = Math.floor(value(a));
    return isDual(a) ? decided(v) : v;
  });
  const sin = function_(Math.sin, Math.cos);
  const cos = unary((a) => {
    if (!isDual(a)) return Math.cos(a);
    const v = Math.cos(a.v), d = times(-Math.sin(a.v), a.d), half = Math.sin(a.v / 2);
    return new Dual(v, d, v > 0 ? new Dual(Math.log1p(-2 * half * half), d / v) : null);
  });
  /* Of 1 and -1 that of the nearest numbers between: so cos(m * acos(x)) has the derivative there that it has beside. */
  const edge = 1 - 2 ** -53;
  const inner = (v) => Math.min(Math.max(v, -edge), edge);
  const acos = function_((v) => Math.acos(inner(v)), (v) => -1 / Math.sqrt((1 - inner(v)) * (1 + inner(v))));
  const atan = function_(Math.atan, (v) => 1 / (1 + v * v));
  const cosh = unary((a) => {
    if (!isDual(a)) return Math.cosh(a);
    const size = Math.abs(a.v), half = Math.sinh(size / 2);
    const l = size < 1 ? Math.log1p(2 * half * half) : size + Math.log1p(Math.exp(-2 * size)) - Math.LN2;
    return known(Math.cosh(a.v), times(Math.sinh(a.v), a.d), new Dual(l, times(Math.tanh(a.v), a.d)));
  });
  const tanh = function_(Math.tanh, (v) => 1 / Math.cosh(v) ** 2);

  /* By a series whose terms have one sign, and by a continued fraction of 1 - erf where that is small. */
  const erfOf = (x) => {
    const size = Math.abs(x);
    if (size >= 6) return Math.sign(x);
    if (size < 3) {
      let term = x, total = x;
      for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(total); n += 1) {
        term *= (2 * x * x) / (2 * n + 1);
        total += term;
      }
      return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
    }
    let fraction = 0;
    for (let n = 24; n >= 1; n -= 1) fraction = n / 2 / (size + fraction);
    return Math.sign(x) * (1 - Math.exp(-x * x) / Math.sqrt(Math.PI) / (size + fraction));
  };
  const erf = function_(erfOf, (v) => (2 / Math.sqrt(Math.PI)) * Math.exp(-v * v));

  /* zeta(k) - 1 for k = 2, 3, ...: by the first terms of the sum, and what Euler and Maclaurin say of the others. */
  const zetas = Array.from({ length: 30 }, (_, i) => {
    const k = i + 2, n = 40;
    let total = Math.pow(n, 1 - k) / (k - 1) + Math.pow(n, -k) / 2 + (k * Math.pow(n, -k - 1)) / 12;
    total -= (k * (k + 1) * (k + 2) * Math.pow(n, -k - 3)) / 720;
    total += (k * (k + 1) * (k + 2) * (k + 3) * (k + 4) * Math.pow(n, -k - 5)) / 30240;
    for (let j = n - 1; j >= 2; j -= 1) total += Math.pow(j, -k);
    return total;
  });
  const EULER = 0.5772156649015329;
  /* log(gamma(2 + z)) for abs(z) <= 1/2 */
  const nearTwo = (z) => zetas.reduceRight((sum, zeta, i) => sum + ((i % 2 ? -zeta : zeta) * Math.pow(z, i + 2)) / (i + 2), 0) + z * (1 - EULER);
  const lgammaOf = (x) => {
    if (!(x > 0)) return x === 0 ? Infinity : NaN;
    if (x < 0.5) return nearTwo(x) - Math.log1p(x) - Math.log(x);
    if (x < 1.5) return nearTwo(x - 1) - Math.log1p(x - 1);
    if (x < 12) {
      let product = 1, at = x;
      for (; at > 2.5; at -= 1) product *= at - 1;
      return Math.log(product) + nearTwo(at - 2);
    }
    const s = 1 / (x * x);
    const tail = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156];
    return (x - 0.5) * Math.log(x) - x + Math.log(2 * Math.PI) / 2 + tail.reduceRight((sum, one) => sum * s + one, 0) / x;
  };
  const lgamma = unary((a) => {
    if (isDual(a)) throw new TypeError("lgamma of a number that depends on x");
    return lgammaOf(a);
  });

  const compare = (work) => binary((a, b) => {
    const holds = work(value(a), value(b));
    return isDual(a) || isDual(b) ? decided(holds) : holds;
  });
  const number = (a) => (typeof a === "boolean" ? Number(a) : a);
  /* Of a comparison of vectors: 1 where it holds, and 0 where not. */
  const marks = (work) => (a, b) => {
    const found = work(a, b);
    return Array.isArray(found) ? found.map(number) : found;
  };
  const lt = marks(compare((a, b) => a < b)), le = marks(compare((a, b) => a <= b));
  const gt = marks(compare((a, b) => a > b)), ge = marks(compare((a, b) => a >= b));
  const eq = marks(compare((a, b) => a === b)), ne = marks(compare((a, b) => a !== b));

  /* The first of the extreme ones, which is a number that does not move in max(0, 1 - m) at m = 1. */
  const extreme = (all, better) => {
    let best = 0;
    all.forEach((one, i) => {
      if (better(value(one), value(all[best]))) best = i;
    });
    if (all.some(isDual)) {
      decided(best);
      decided(all.filter((one) => value(one) === value(all[best])).length);
    }
    return all[best];
  };
  const max = (all) => extreme(all, (a, b) => a > b);
  const min = (all) => extreme(all, (a, b) => a < b);
  const sum = (all) => all.reduce((total, one) => add(total, one), 0);
  const cumsum = (all) => {
    let total = 0;
    return all.map((one) => (total = add(total, one)));
  };
  const range = (first, stop) => Array.from({ length: Math.max(0, stop - first) }, (_, i) => first + i);
  const zip = (first, ...others) => first.map((one, i) => [one, ...others.map((other) => paired(first, other)[i])]);
  const at = (list, i) => {
    if (!(Number.isInteger(i) && i >= 0 && i < list.length)) throw new RangeError(`no element ${i} of ${list.length}`);
    return list[i];
  };

  /* What the variables of families need besides the grammar. */
  const rank = (all, k) => {
    const own = value(all[k]);
    const found = 1 + all.filter((one, i) => value(one) > own || (value(one) === own && i < k)).length;
    return all.some(isDual) ? decided(found) : found;
  };
  const table = (all, columns) => range(0, all.length / columns).map((i) => all.slice(i * columns, (i + 1) * columns));
  /* Probabilities; one that is 0, as its target is, goes to 0 where derivatives are looked for, so that they are limits. */
  const NEARLY = 1e-150;
  let limiting = true, limited = false;
  const inside = (p, t) => p.map((one, k) => {
    if (!limiting || value(one) !== 0 || t[k] !== 0) return one;
    limited = true;
    return new Dual(NEARLY, slope(one));
  });
  const taylor = (x, order) => {
    let total = 1;
    for (let i = order; i >= 1; i -= 1) total = add(div(mul(x, total), i), 1);
    return total;
  };

  /* offset + rate * x, as it is rounded once where the rate is 1 or -1 */
  const line = (x, offset, rate) => {
    if (rate === 0) return offset;
    return new Dual(rate === 1 ? offset + x.v : rate === -1 ? offset - x.v : offset + rate * x.v, rate);
  };

  const clean = (a) => (a === 0 ? 0 : a); // a loss of -0 is 0
  /* Value and derivative by x of a translated formula. */
  const along = (x, formula) => {
    limited = false;
    const found = formula(new Dual(x, 1));
    if (!limited) return { value: clean(value(found)), slope: clean(slope(found)) };
    limiting = false;
    try {
      const limit = Math.abs(slope(found)) > Math.sqrt(1 / NEARLY) / 1e5 ? Math.sign(slope(found)) * Infinity : slope(found);
      return { value: clean(value(formula(new Dual(x, 1)))), slope: clean(limit) };
    } finally {
      limiting = true;
    }
  };

  /* Of a program at a point: x, value and slope, and which way it went there. */
  const visited = (program, parameters, x) => {
    decisions = [];
    try {
      return { x, ...program(x, parameters), way: decisions.join() };
    } finally {
      decisions = null;
    }
  };
  /* The nearest points on both sides of where a program goes another way, from two points that it lies between. */
  const parted = (visit, below, above, width) => {
    while (above.x - below.x > width) {
      const middle = visit((below.x + above.x) / 2);
      if (middle.x <= below.x || middle.x >= above.x) break;
      if (middle.way === below.way) below = middle;
      else above = middle;
    }
    return [below, above];
  };
  /* The number with few digits between two that are close to each other, or else the second. */
  const plain = (low, high, width) => {
    const near = Number(((low + high) / 2).toPrecision(9));
    const rounded = Math.abs(near) < width ? 0 : near;
    return rounded >= low - width && rounded <= high + width ? rounded : high;
  };
  const JUMP = 1e-6;
  /* The jumps and kinks of a program between low and high: each with its x, and with value and slope just below, at, and just
     above it. They are where a comparison, an absolute value, a maximum or a floor goes another way, which is looked at
     at so many points; a change of form without a jump of value or slope is none. */
  const breaks = (program, parameters, low, high, steps = 300) => {
    const visit = (x) => visited(program, parameters, x);
    const width = (high - low) * 1e-14;
    const points = range(0, steps + 1).map((i) => visit(low + ((high - low) * i) / steps));
    const size = (what) => Math.max(0, ...points.map((one) => Math.abs(one[what])).filter(Number.isFinite));
    const sizes = { value: size("value"), slope: size("slope") };
    const jumps = (what, a, b) => a[what] !== b[what] && !(Math.abs(a[what] - b[what]) <= JUMP * sizes[what]);
    const differ = (a, b) => jumps("value", a, b) || jumps("slope", a, b);
    const found = [];
    points.slice(1).forEach((end, i) => {
      for (let start = points[i], tries = 0; start.way !== end.way && start.x < end.x && tries < 20; tries += 1) {
        const [below, above] = parted(visit, start, end, width);
        const x = plain(below.x, above.x, width);
        const [left, at, right] = [Math.max(low, x - 8 * width), x, Math.min(high, x + 8 * width)].map(visit);
        const last = found.length ? found[found.length - 1].x : low;
        if (x > last && x < high && (differ(left, right) || differ(left, at))) {
          const limit = (side) => (jumps("value", side, at) ? side.value : at.value);
          found.push({ x, value: [limit(left), at.value, limit(right)], slope: [left.slope, at.slope, right.slope] });
        }
        if (right.x <= start.x) break;
        start = right;
      }
    });
    return found;
  };

  return {
    along, breaks, line, add, sub, mul, div, pow, neg, exp, log, sqrt, abs, sign, floor, sin, cos, acos, atan, cosh, tanh, erf, lgamma,
    lt, le, gt, ge, eq, ne, max, min, sum, cumsum, range, zip, at, rank, table, inside, taylor,
  };
})();
