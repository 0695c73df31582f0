// need.mjs - what npm brought into tests/npm (tools/setup): const {chromium} = need('playwright-core');
import {createRequire} from 'node:module';

export const need = createRequire(import.meta.url);
