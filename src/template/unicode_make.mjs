// Writes unicode_data.inc: general categories, simple case mappings and a few scripts, from the Unicode tables of the node that
// runs it. Run again when a newer Unicode is wanted: node src/template/unicode_make.mjs > src/template/unicode_data.inc
const cats = ['Lu', 'Ll', 'Lt', 'Lm', 'Lo', 'Mn', 'Mc', 'Me', 'Nd', 'Nl', 'No', 'Pc', 'Pd', 'Ps', 'Pe', 'Pi', 'Pf', 'Po',
  'Sm', 'Sc', 'Sk', 'So', 'Zs', 'Zl', 'Zp', 'Cc', 'Cf', 'Co'];
const scripts = ['Arabic', 'Armenian', 'Bengali', 'Bopomofo', 'Common', 'Cyrillic', 'Devanagari', 'Ethiopic', 'Georgian', 'Greek',
  'Gujarati', 'Gurmukhi', 'Han', 'Hangul', 'Hebrew', 'Hiragana', 'Kannada', 'Katakana', 'Khmer', 'Lao', 'Latin', 'Malayalam',
  'Mongolian', 'Myanmar', 'Sinhala', 'Tamil', 'Telugu', 'Thai', 'Tibetan'];
const out = ['/* Made by unicode_make.mjs; not to be edited. */'];
function ranges(test) {
  const r = [];
  for (let c = 0; c <= 0x10ffff; c++) {
    if (c >= 0xd800 && c < 0xe000) continue;
    if (!test(String.fromCodePoint(c))) continue;
    if (r.length && r[r.length - 1][1] === c - 1) r[r.length - 1][1] = c; else r.push([c, c]);
  }
  return r;
}
const all = cats.flatMap((k, i) => { const re = new RegExp(`^\\p{gc=${k}}$`, 'u'); return ranges(s => re.test(s)).map(([a, b]) => [a, b, i]); })
  .sort((a, b) => a[0] - b[0]);
const hex = n => '0x' + n.toString(16);
function rows(list, each, n = 6) { for (let i = 0; i < list.length; i += n) out.push('    ' + list.slice(i, i + n).map(each).join(' ')); }
out.push('enum { ' + cats.map(c => 'UC_' + c).join(', ') + ', UC_NONE };');
out.push('static const char uc_names[][3] = { ' + cats.map(c => `"${c}"`).join(', ') + ' };');
out.push('static const struct { uint32_t lo, hi; int cat; } uc_ranges[] = {');
rows(all, ([a, b, i]) => `{ ${hex(a)}, ${hex(b)}, UC_${cats[i]} },`, 4);
out.push('};');
// code point, difference to the upper-case form, to the lower-case form; only single code points (simple mappings)
const one = (s, f) => { const t = [...f(s)]; return t.length === 1 ? t[0].codePointAt(0) : s.codePointAt(0); };
const cases = [];
for (let c = 0; c <= 0x1ffff; c++) {
  if (c >= 0xd800 && c < 0xe000) continue;
  const s = String.fromCodePoint(c);
  let u = one(s, x => x.toUpperCase()), l = one(s, x => x.toLowerCase());
  if (c === 0x130) l = 0x69; // the simple mapping; the full one is two code points
  if (u === c && l === c) continue;
  const last = cases[cases.length - 1], du = u - c, dl = l - c;
  if (last && last[2] === du && last[3] === dl && (c === last[1] + last[4] || (last[0] === last[1] && (c - last[1] === 1 || c - last[1] === 2)))) {
    if (last[0] === last[1]) last[4] = c - last[1];
    last[1] = c;
  } else cases.push([c, c, du, dl, 1]);
}
out.push('static const struct { uint32_t lo, hi; int32_t upper, lower; uint32_t step; } uc_cases[] = {');
// strided runs may interleave: sort by start, the reader looks at a few neighbours
rows(cases, ([a, b, u, l, st]) => `{ ${hex(a)}, ${hex(b)}, ${u}, ${l}, ${st} },`, 4);
out.push('};');
for (const s of scripts) {
  const re = new RegExp(`^\\p{Script=${s}}$`, 'u');
  out.push(`static const struct uc_range uc_${s}[] = {`);
  rows(ranges(x => re.test(x)), ([a, b]) => `{ ${hex(a)}, ${hex(b)} },`);
  out.push('};');
}
out.push('static const struct { const char *name; const struct uc_range *r; size_t n; } uc_scripts[] = {');
rows(scripts, s => `{ "${s}", uc_${s}, COUNT(uc_${s}) },`, 3);
out.push('};');
console.log(out.join('\n'));
