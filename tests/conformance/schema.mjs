// schema.mjs - checks bodies against fixtures/*.json.
//
//   const line = shapes('line-calls');
//   line.check('/v2/bot/message/push', body);     // throws, naming each place that differs
import {readFileSync} from 'node:fs';
import {need} from '../npm/need.mjs';

const Ajv = need('ajv');
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

export function shapes(name) {
  const schema = JSON.parse(readFileSync(new URL(`fixtures/${name}.json`, import.meta.url)));
  const ajv = new Ajv({discriminator: true, strict: false, allErrors: true, formats: {'date-time': rfc3339}});
  ajv.addSchema({$id: name, $defs: schema.$defs});
  const compiled = Object.fromEntries(Object.entries(schema.roots).map(([call, def]) => [call, ajv.compile({$ref: `${name}#/$defs/${def}`})]));
  return {
    calls: Object.keys(compiled),
    check(call, body) {
      const validate = compiled[call];
      if (!validate) throw new Error(`${name} has no shape for ${call}`);
      if (validate(body)) return;
      const where = validate.errors.map(e => `${e.instancePath || '/'} ${e.message} ${JSON.stringify(e.params)}`);
      throw new Error(`${call} differs from the vendor's description:\n  ${where.join('\n  ')}\n  in ${JSON.stringify(body)}`);
    },
  };
}
