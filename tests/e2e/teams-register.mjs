// teams-register.mjs - a customer's form for /teams/register, the icons in it, and the package that comes of it taken apart.
import {deflateSync} from 'node:zlib';
import {tenantId} from './teams.mjs';

function crc32(b) { let c, crc = ~0; for (const x of b) { c = (crc ^ x) & 255; for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1; crc = (crc >>> 8) ^ c; } return ~crc >>> 0; }
export function png(side, pixel) {
  const chunk = (type, data) => { const n = Buffer.alloc(4), tail = Buffer.alloc(4), body = Buffer.concat([Buffer.from(type), data]); n.writeUInt32BE(data.length); tail.writeUInt32BE(crc32(body)); return Buffer.concat([n, body, tail]); };
  const head = Buffer.alloc(13); head.writeUInt32BE(side, 0); head.writeUInt32BE(side, 4); head[8] = 8; head[9] = 6;
  const raw = Buffer.concat(Array.from({length: side}, () => Buffer.concat([Buffer.from([0]), Buffer.concat(Array(side).fill(Buffer.from(pixel)))])));
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', head), chunk('IDAT', deflateSync(raw)), chunk('IEND', Buffer.alloc(0))]);
}
export function unzip(bytes) {
  const files = {};
  for (let at = 0; bytes.readUInt32LE(at) === 0x04034b50;) {
    const [size, names, extra] = [bytes.readUInt32LE(at + 18), bytes.readUInt16LE(at + 26), bytes.readUInt16LE(at + 28)];
    const name = bytes.subarray(at + 30, at + 30 + names).toString();
    files[name] = bytes.subarray(at + 30 + names + extra, at + 30 + names + extra + size);
    at += 30 + names + extra + size;
  }
  return files;
}
export function registration(over = {}) {
  const form = new FormData();
  const fields = {business: 'ACME & Sons', first_name: 'Ana', last_name: 'Guest', email: 'ana@acme.example', tenant: tenantId, bot_name: 'ACME Care', accent: '#112233',
    color_icon: new Blob([png(192, [1, 2, 3, 255])]), outline_icon: new Blob([png(32, [255, 255, 255, 255])]), ...over};
  for (const [k, v] of Object.entries(fields)) if (v !== undefined) v instanceof Blob ? form.set(k, v, `${k}.png`) : form.set(k, v);
  return form;
}
