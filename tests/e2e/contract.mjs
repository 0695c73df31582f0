// contract.mjs - makes requests out of an OpenAPI document, by dice that a seed starts, and judges the answers by it.
//
//   const dice = new Dice(7), maker = new Maker(doc, dice, {'Queue.timezone': () => 'Asia/Tokyo'});
//   const body = maker.value({$ref: '#/components/schemas/Queue'});       // what the document admits, often at an edge
//   const {body: bad, what} = maker.spoil(body, schema);                  // the same with one thing wrong
import {request} from 'node:http';
import {need} from '../npm/need.mjs';

export class Dice {
  constructor(seed) { this.state = seed >>> 0; }
  next() { // mulberry32
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  int(n) { return Math.floor(this.next() * n); }
  chance(p) { return this.next() < p; }
  pick(list) { return list[this.int(list.length)]; }
}

const letters = ['a', 'B', '7', ' ', '-', 'é', 'ß', '日', '本', '語', 'ا', 'ل', 'ع', '🦉', '👩‍🚒', '\u202e', '"', '\\', '/', '<', '&', '\'', '{{', '}}', '%00', '\n', '\t', '\u0001', '\u007f', '\u2028', '\ufeff', '$', '../'];
const count = s => [...s].length;

export class Maker {
  constructor(doc, dice, hints = {}) { Object.assign(this, {doc, dice, hints}); }

  // References resolved, allOf as one object.
  schema(s) {
    if (s.$ref) return {...this.schema(s.$ref.split('/').slice(1).reduce((at, k) => at[k], this.doc)), name: s.$ref.split('/').pop()};
    if (!s.allOf) return s;
    const all = s.allOf.map(x => this.schema(x));
    return {...s, allOf: undefined, type: 'object', name: all[0].name, properties: Object.assign({}, ...all.map(x => x.properties)), required: all.flatMap(x => x.required ?? [])};
  }

  text(min, max) {
    const {dice} = this;
    const n = dice.chance(0.1) ? max : dice.chance(0.1) ? min : Math.min(max, min + dice.int(12));
    const alphabet = dice.chance(0.5) ? ['a', 'b', 'c', '1'] : dice.chance(0.3) ? ['🦉'] : letters;
    let s = '';
    if (n > 200) s = dice.pick(['x', '語', '🦉']).repeat(n - 100);
    while (count(s) < n) s += dice.pick(alphabet);
    return [...s].slice(0, n).join('') || (n ? 'x' : '');
  }

  any(depth = 0) {
    const {dice} = this;
    switch (dice.int(depth > 3 ? 6 : 9)) {
      case 0: return null;
      case 1: return dice.chance(0.5);
      case 2: return dice.pick([0, -1, 1.5, 1e308, Number.MAX_SAFE_INTEGER, 2 ** 63, -(2 ** 63)]);
      case 3: return '';
      case 4: case 5: return this.text(0, 30);
      case 6: return Array.from({length: dice.int(4)}, () => this.any(depth + 1));
      default: return Object.fromEntries(Array.from({length: dice.int(4)}, () => [dice.pick(['kind', 'type', 'text', 'id', 'name', this.text(0, 5)]), this.any(depth + 1)]));
    }
  }

  // A value that the schema admits. of: "Queue.title", where a hint may stand.
  value(given, of = '') {
    const {dice} = this, s = this.schema(given), hint = this.hints[of] ?? this.hints[s.name] ?? this.hints[of.slice(of.indexOf('.'))];
    if (hint && dice.chance(0.9)) return hint(s, this);
    if (s.oneOf || s.anyOf) return this.value(s.anyOf && dice.chance(0.9) ? s.anyOf[0] : dice.pick(s.oneOf ?? s.anyOf), of);
    if ('const' in s) return s.const;
    if (s.enum) return dice.pick(s.enum);
    const type = Array.isArray(s.type) ? dice.pick(s.type) : s.type;
    switch (type) {
      case 'null': return null;
      case 'boolean': return dice.chance(0.5);
      case 'integer': case 'number': {
        const [low, high] = [s.minimum ?? -1000, s.maximum ?? 100000];
        return dice.chance(0.2) ? low : dice.chance(0.2) ? high : dice.chance(0.2) && low <= 0 ? 0 : low + dice.int(Math.min(high - low + 1, 1000));
      }
      case 'string':
        if (s.format === 'date-time') return dice.pick(['2026-03-04T05:06:07Z', '1970-01-01T00:00:00Z', '2026-03-04T05:06:07.123+09:00']);
        if (s.format === 'uuid') return dice.pick(['259bb4e2-f7e5-4b06-9a51-c528f412404b', '00000000-0000-4000-8000-000000000001', 'ABCDEF00-0000-4000-8000-000000000002']);
        if (s.format === 'uri') return dice.pick(['http://127.0.0.1:9', 'http://127.0.0.1:9/a?b=c', 'http://[::1]:9/x']);
        if (s.pattern) return dice.pick(['a', 'x9', 'a.b-c_d', 'q'.repeat(s.maxLength ?? 20)]);
        return this.text(s.minLength ?? 0, s.maxLength ?? 40);
      case 'array': {
        const [low, high] = [s.minItems ?? 0, s.maxItems ?? 4];
        const n = dice.chance(0.08) && high <= 1000 ? high : dice.chance(0.2) ? low : Math.min(high, low + dice.int(4));
        return Array.from({length: n}, () => this.value(s.items ?? {}, `${of}[]`));
      }
      case 'object': return this.object(s);
      default: return this.any();
    }
  }

  object(s) {
    const {dice} = this, all = Object.keys(s.properties ?? {}), out = {};
    const wanted = dice.chance(0.2) ? [] : dice.chance(0.2) ? all : all.filter(() => dice.chance(0.5));
    for (const k of all) if (s.required?.includes(k) || wanted.includes(k)) out[k] = this.value(s.properties[k], `${s.name}.${k}`);
    if (s.additionalProperties && typeof s.additionalProperties === 'object')
      for (let i = dice.int(4); i > 0; i--) out[this.text(1, 20)] = this.value(s.additionalProperties);
    return out;
  }

  // One thing made wrong somewhere in it.
  spoil(body, given) {
    const {dice} = this, s = this.schema(given);
    const keys = Object.keys(s.properties ?? {}), here = keys.filter(k => k in body);
    const inner = here.filter(k => { const p = this.schema(s.properties[k]); return (p.properties && Object.keys(body[k] ?? {}).length) || (p.type === 'array' && Array.isArray(body[k]) && body[k].length); });
    if (inner.length && dice.chance(0.4)) {
      const k = dice.pick(inner), p = this.schema(s.properties[k]);
      if (p.type === 'array') {
        const i = dice.int(body[k].length), item = this.schema(p.items ?? {});
        const branch = (item.oneOf ?? []).map(x => this.schema(x)).find(x => x.properties?.type?.const === body[k][i]?.type) ?? item;
        const {body: bad, what} = branch.properties && body[k][i] && typeof body[k][i] === 'object' ? this.spoil(body[k][i], branch) : this.wrong(branch, body[k][i]);
        return {body: {...body, [k]: body[k].map((x, j) => (j === i ? bad : x))}, what: `${k}[${i}].${what}`};
      }
      if (body[k] && typeof body[k] === 'object') { const {body: bad, what} = this.spoil(body[k], p); return {body: {...body, [k]: bad}, what: `${k}.${what}`}; }
    }
    switch (dice.int(here.length ? 4 : 1)) {
      case 0: { const k = dice.pick(['unknown_member', 'Name', 'x'.repeat(300), '日本', '']); return {body: {...body, [k]: this.any()}, what: `unknown ${k}`}; }
      case 1: { const k = dice.pick(here), {[k]: gone, ...rest} = body; return {body: rest, what: `without ${k}`}; }
      default: { const k = dice.pick(here), {body: bad, what} = this.wrong(this.schema(s.properties[k]), body[k]); return {body: {...body, [k]: bad}, what: `${k} ${what}`}; }
    }
  }

  wrong(s, was) {
    const {dice} = this, ways = [
      () => [null, 'null'], () => [this.any(), 'anything'], () => [[was], 'in a list'], () => [{a: was}, 'in an object'], () => [String(was), 'as a text'],
      () => [JSON.parse('['.repeat(60) + ']'.repeat(60)), 'deep'],
    ];
    if (s.type === 'string') ways.push(() => [`${was}\u0000`, 'with NUL']);
    if (s.maxLength !== undefined) ways.push(() => [dice.pick(['x', '🦉', '語']).repeat(s.maxLength + 1), 'too long'], () => ['x'.repeat(900000), 'far too long']);
    if (s.minLength) ways.push(() => ['x'.repeat(s.minLength - 1), 'too short'], () => ['', 'empty']);
    if (s.minimum !== undefined) ways.push(() => [s.minimum - 1, 'too low']);
    if (s.maximum !== undefined) ways.push(() => [s.maximum + 1, 'too high'], () => [s.maximum * 2 ** 20, 'far too high']);
    if (s.type === 'integer') ways.push(() => [1.5, 'broken'], () => [1e300, 'huge']);
    if (s.maxItems !== undefined) ways.push(() => [Array(s.maxItems + 1).fill(Array.isArray(was) && was.length ? was[0] : 'x'), 'too many']);
    if (s.enum) ways.push(() => [`${s.enum[0]} `, 'with a space'], () => [s.enum[0].toUpperCase(), 'in capitals']);
    const [bad, what] = dice.pick(ways)();
    return {body: bad, what};
  }
}

// Sends bytes as they are: no address is made better, no body forbidden.
export function send(base, method, path, {body, headers = {}, agent} = {}) {
  const {hostname, port} = new URL(base);
  return new Promise((resolve, reject) => {
    const rq = request({hostname, port, method, path, headers: body === undefined ? headers : {...headers, 'content-length': Buffer.byteLength(body)}, agent}, rs => {
      if (rs.headers['content-type']?.startsWith('text/event-stream')) { resolve({status: rs.statusCode, headers: rs.headers, text: ''}); rs.on('error', () => {}); rq.destroy(); return; }
      const pieces = [];
      rs.on('data', p => pieces.push(p)).on('error', reject).on('end', () => {
        const text = Buffer.concat(pieces).toString();
        let json; try { json = JSON.parse(text); } catch { json = undefined; }
        resolve({status: rs.statusCode, headers: rs.headers, text, json});
      });
    });
    rq.on('error', reject);
    rq.end(body);
  });
}

export function validator(doc) {
  const Ajv2020 = need('ajv/dist/2020.js').default;
  const ajv = new Ajv2020({strict: false, allErrors: false, formats: {uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, uri: /^https?:\/\/./, 'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/}});
  ajv.addSchema(doc, 'doc');
  const known = new Map();
  return (schema, value) => { // null: it fits
    const key = JSON.stringify(schema);
    if (!known.has(key)) known.set(key, ajv.compile(JSON.parse(key.replaceAll('"#/', '"doc#/'))));
    const fits = known.get(key);
    return fits(value) ? null : fits.errors.map(e => `${e.instancePath || '/'} ${e.message}`).join('; ');
  };
}
