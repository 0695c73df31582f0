// Rich messages as the vendors' own libraries see them: LINE's and Slack's types, Microsoft's renderer of Adaptive Cards in a browser. What is checked is what POST /preview says
// would be sent, of messages in every form and of objects as people copy them out of builders.
import test from 'node:test';
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {promisify} from 'node:util';
import {openBrowser} from '../browser/pages.mjs';
import {startHub} from '../e2e/hub.mjs';
import {need} from '../npm/need.mjs';
import {shapes} from './schema.mjs';
import {samples} from '../responses/samples.mjs';

const picture = 'https://img.example.com/p.png', link = 'https://shop.example.com/';
const reply = n => ({text: `Reply ${n}`, payload: `r${n}`});
const card = (n, buttons = 2) => ({title: `Card ${n}`, text: 'What it is', image: picture, url: link, choices: [...Array(buttons)].map((_, i) => i ? {label: `Do ${i}`, payload: `d${n}.${i}`} : {label: 'See', url: link})});
const messages = {
  text: 'Hello\nthere',
  'long text': 'word '.repeat(3000),
  'two replies': {genesys_prompt: 'Sure?', genesys_quick_replies: [reply(1), reply(2)]},
  'a picture on a reply': {genesys_prompt: 'Sure?', genesys_quick_replies: [{...reply(1), image: picture}]},
  'twelve replies': {genesys_prompt: 'Which?', genesys_quick_replies: [...Array(12)].map((_, i) => reply(i))},
  'forty replies': {genesys_prompt: 'Which?', genesys_quick_replies: [...Array(40)].map((_, i) => reply(i))},
  'a long label': {kind: 'choices', text: '?', choices: [{label: 'A label that is longer than any network shows on a button '.repeat(3), payload: 'x'}]},
  'a card': {kind: 'cards', cards: [card(1)]},
  'a carousel': {kind: 'cards', text: 'Look', cards: [card(1), card(2, 3), card(3, 1)]},
  'cards of little': {kind: 'cards', cards: [{title: 'Only a title'}, {text: 'Only a text', choices: [{label: 'Go', payload: 'g'}]}]},
  'a list': {kind: 'picker', picker: {title: 'Which?', text: 'Take one', choices: [{label: 'One', payload: '1'}, {label: 'Two', payload: '2'}]}},
  'a list of several': {kind: 'picker', picker: {title: 'Which?', multiple: true, choices: [{label: 'One', payload: '1'}, {label: 'Two', payload: '2'}]}},
  times: {kind: 'picker', picker: {title: 'When?', slots: [{at: '2030-01-01T10:00:00Z', duration_s: 1800}, {at: '2030-01-02T10:00:00Z', duration_s: 1800}]}},
  'a place': {type: 'location', title: 'HQ', address: 'Main Street', latitude: 35.6, longitude: 139.7},
  'a sticker': {type: 'sticker', packageId: '446', stickerId: '1988', title: 'Hug'},
  'a picture': {kind: 'image', text: 'Our shop', media: [{url: picture, type: 'image/png', name: 'p.png'}]},
};
const own = {
  line: {
    flex: {type: 'flex', altText: 'A café', contents: {type: 'bubble', hero: {type: 'image', url: picture, size: 'full', aspectRatio: '20:13', aspectMode: 'cover', action: {type: 'uri', uri: link}},
      body: {type: 'box', layout: 'vertical', contents: [{type: 'text', text: 'Café', weight: 'bold', size: 'xl'}, {type: 'box', layout: 'baseline', margin: 'md', contents: [{type: 'icon', size: 'sm', url: picture}, {type: 'text', text: '4.0', size: 'sm', color: '#999999', flex: 0}]}]},
      footer: {type: 'box', layout: 'vertical', spacing: 'sm', contents: [{type: 'button', style: 'link', height: 'sm', action: {type: 'uri', label: 'WEB', uri: link}}], flex: 0}}},
    confirm: {type: 'template', altText: 'Sure?', template: {type: 'confirm', text: 'Sure?', actions: [{type: 'message', label: 'Yes', text: 'Yes'}, {type: 'postback', label: 'No', data: 'no'}]}},
    imagemap: {type: 'imagemap', altText: 'Map', baseUrl: 'https://img.example.com/map', baseSize: {width: 1040, height: 1040}, actions: [{type: 'uri', linkUri: link, area: {x: 0, y: 0, width: 520, height: 1040}}]},
  },
  slack: {
    approval: {blocks: [{type: 'section', text: {type: 'mrkdown', text: 'A request'}, accessory: {type: 'image', image_url: picture, alt_text: 'thumbnail'}}, {type: 'divider'}, {type: 'context', elements: [{type: 'mrkdwn', text: '*Soon*'}]},
      {type: 'actions', elements: [{type: 'button', text: {type: 'plain_text', emoji: true, text: 'Approve'}, style: 'primary', value: 'yes'}]}]},
  },
  teams: {
    card: {$schema: 'https://adaptivecards.io/schemas/adaptive-card.json', type: 'AdaptiveCard', version: '1.0', body: [{type: 'Container', items: [{type: 'TextBlock', text: 'Publish', weight: 'bolder'},
      {type: 'ColumnSet', columns: [{type: 'Column', width: 'auto', items: [{type: 'Image', url: `\n${picture}`, size: 'small', style: 'person'}]}]}]}, {type: 'FactSet', facts: [{title: 'Board:', value: 'Adaptive Card'}]}],
    actions: [{type: 'Action.ShowCard', title: 'Comment', card: {type: 'AdaptiveCard', body: [{type: 'Input.Text', id: 'comment', isMultiline: true}], actions: [{type: 'Action.Submit', title: 'OK'}]}}, {type: 'Action.OpenUrl', title: 'View', url: link}]},
  },
};

// What each message becomes on a network: [name, bodies of its calls, the calls].
async function sentTo(hub, network) {
  const admin = await hub.login(), all = [];
  for (const [name, message] of [...Object.entries(messages), ...Object.entries(own[network] ?? {})]) {
    const r = await admin.call('POST', '/preview', {message, networks: [network]});
    assert.equal(r.status, 200, `${name}: ${r.text}`);
    const [item] = r.json.items;
    assert.equal(item.carried, true, `${network}, ${name}: ${item.problem}`);
    all.push([name, item.calls.map(c => c.body).filter(Boolean), item.calls]);
  }
  return all;
}

// Do these values fit the type, by the vendor's own declarations?
async function fitsType(t, head, type, named) {
  const dir = mkdtempSync(join(tmpdir(), 'dragoman-types-'));
  t.after(() => rmSync(dir, {recursive: true, force: true}));
  const modules = join(dirname(need.resolve('typescript/package.json')), '..');
  symlinkSync(modules, join(dir, 'node_modules'));
  const lines = named.map(([name, value], i) => `export const v${i}: ${type} = ${JSON.stringify(value)}; // ${name}`);
  writeFileSync(join(dir, 'check.ts'), [head, ...lines].join('\n'));
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({compilerOptions: {strict: true, noEmit: true, skipLibCheck: true, module: 'nodenext', moduleResolution: 'nodenext', target: 'es2022', types: []}, files: ['check.ts']}));
  await promisify(execFile)(process.execPath, [join(modules, 'typescript/bin/tsc'), '-p', dir]).catch(e => assert.fail(`${e.stdout}\n${lines.map((l, i) => `${i + 2}: ${l.slice(0, 300)}`).join('\n')}`));
}

test('LINE: every message object has the type of LINE\'s own library', async t => {
  const hub = await startHub(t);
  const sent = (await sentTo(hub, 'line')).flatMap(([name, bodies]) => bodies.map(b => [name, b.messages]));
  assert.ok(sent.length >= 15);
  const line = "import type {messagingApi} from '@line/bot-sdk';";
  await fitsType(t, line, 'messagingApi.Message[]', sent);
  await assert.rejects(fitsType(t, line, 'messagingApi.Message[]', [['wrong', [{type: 'flex', altText: 'x', contents: {type: 'bubble', body: {type: 'box', layout: 'diagonal', contents: []}}}]]]), 'what is wrong is found');
});

// Canned responses: rendered for a guest of this network, then what each message becomes: [name, call].
async function cannedTo(admin, network, responses) {
  const all = [];
  for (const {name, text, substitutions = [], values = {}, goes} of responses) {
    const wanted = goes ? goes[network] ?? goes.other : /./;
    if (!(wanted instanceof RegExp)) continue; // it is refused, with a reason
    const document = {name, text, substitutions: substitutions.map(({id, defaultValue, default_value}) => ({id, default_value: default_value ?? defaultValue}))};
    const made = await admin.call('POST', '/responses', document);
    assert.equal(made.status, 201, `${name}: ${made.text}`);
    const r = await admin.call('POST', `/responses/${encodeURIComponent(name)}/render`, {values, network});
    assert.equal(r.json.problem, undefined, `${name}: ${r.text}`);
    for (const message of r.json.messages) {
      const [item] = (await admin.call('POST', '/preview', {message, networks: [network]})).json.items;
      assert.equal(item.carried, true, `${name}: ${item.problem}`);
      all.push(...item.calls.map(call => [name, call]));
    }
  }
  return all;
}

test('LINE: canned responses, Flex messages among them, have the types of LINE\'s own library', async t => {
  const hub = await startHub(t);
  const admin = await hub.login();
  const flex = `{ // out of the Flex simulator, with placeholders
    "type": "flex", "altText": "{{title}}",
    "contents": {"type": "carousel", "contents": [
      {{range $i, $name := splitList "," names}}
      {"type": "bubble", "size": "kilo",
        "hero": {"type": "image", "url": "
${picture}", "size": "full", "aspectRatio": "20:13", "aspectMode": "cover"},
        "body": {"type": "box", "layout": "vertical", "contents": [{"type": "text", "text": {{$name | toJson}}, "weight": "bold", "wrap": true}, {"type": "separator"},]},
        "footer": {"type": "box", "layout": "vertical", "contents": [{"type": "button", "style": "primary", "action": {"type": "postback", "label": "Take", "data": "take-{{$i}}"}}]}},
      {{end}}
    ]}
  }`;
  const own = [
    {name: 'flex carousel', text: flex, substitutions: [{id: 'title', default_value: 'What we have'}, {id: 'names', default_value: 'Tea,Coffee "strong",\u8336'}]},
    {name: 'carousel', text: '{"type": "carousel", "text": "Look", "cards": [{"title": "Tea", "description": "Green", "image": "' + picture + '", "actions": [{"text": "Buy", "payload": "b"}, {"text": "See", "url": "' + link + '"}]}, {"title": "Coffee"},]}'},
    {name: 'several', text: '["one", {"type": "sticker", "packageId": "446", "stickerId": 1988}, {"kind": "picker", "picker": {"title": "Which?", "choices": [{"label": "A", "payload": "a"}]}}]'},
  ];
  const sent = (await cannedTo(admin, 'line', [...own, ...samples])).filter(([, call]) => call.body?.messages).map(([name, call]) => [name, call.body.messages]);
  const [bubbles] = sent.filter(([name]) => name === 'flex carousel').map(([, [m]]) => m.contents.contents);
  assert.deepEqual(bubbles.map(b => b.body.contents[0].text), ['Tea', 'Coffee "strong"', '\u8336']);
  assert.ok(new Set(sent.map(([name]) => name)).size >= 8, [...new Set(sent.map(([name]) => name))].join());
  await fitsType(t, "import type {messagingApi} from '@line/bot-sdk';", 'messagingApi.Message[]', sent);
});

test('Slack: blocks have the types of Slack\'s own library', async t => {
  const hub = await startHub(t);
  const blocks = (await sentTo(hub, 'slack')).flatMap(([name, bodies]) => bodies.filter(b => b.blocks).map(b => [name, b.blocks]));
  assert.ok(blocks.length >= 8);
  const slack = "import type {KnownBlock} from '@slack/types';";
  await fitsType(t, slack, 'KnownBlock[]', blocks);
  await assert.rejects(fitsType(t, slack, 'KnownBlock[]', [['wrong', [{type: 'section', text: {type: 'mrkdown', text: 'x'}}]]]), 'what is wrong is found');
});

// Block Kit has no schema of Slack's own: fixtures/slack-blocks.json has what its reference says of each block, element and text. What no schema can say is here.
const kit = shapes('slack-blocks');
function fitsBlockKit(body) {
  kit.check('chat.postMessage', body);
  const blocks = body.blocks ?? [], ids = blocks.map(b => b.block_id).filter(Boolean);
  assert.equal(new Set(ids).size, ids.length, 'a block_id occurs twice');
  for (const {elements = []} of blocks) {
    const actions = elements.map(e => e.action_id).filter(Boolean);
    assert.equal(new Set(actions).size, actions.length, 'an action_id occurs twice in a block');
  }
  assert.ok(blocks.filter(b => b.type === 'markdown').reduce((n, b) => n + b.text.length, 0) <= 12000, 'too much markdown');
}

test('Slack: every message fits the limits of Block Kit, canned responses too', async t => {
  const hub = await startHub(t), admin = await hub.login();
  const calls = [...(await sentTo(hub, 'slack')).flatMap(([name, , all]) => all.map(call => [name, call])), ...await cannedTo(admin, 'slack', samples.filter(s => s.name !== 'business suggestions'))]; // that one has arguments of another network, which Slack passes over
  const posts = calls.filter(([, call]) => call.url.endsWith('/chat.postMessage'));
  assert.ok(posts.length >= 20 && posts.filter(([, call]) => call.body.blocks).length >= 8, String(posts.length));
  for (const [name, {body}] of posts) assert.doesNotThrow(() => fitsBlockKit(body), name);
});

test('what Block Kit refuses is found', () => {
  const plain = (text, n = 1) => ({type: 'plain_text', text: text.repeat(n)}), button = (more = {}) => ({type: 'button', text: plain('Go'), ...more});
  const section = {type: 'section', text: {type: 'mrkdwn', text: 'Which?'}}, option = (more = {}) => ({text: plain('One'), value: '1', ...more});
  const select = (more = {}) => ({type: 'static_select', placeholder: plain('Take one'), options: [option()], ...more}), actions = (...elements) => ({type: 'actions', elements});
  const image = {type: 'image', image_url: picture, alt_text: 'A picture'}, many = (n, one) => [...Array(n)].map((_, i) => typeof one === 'function' ? one(i) : one);
  const fine = [[section], [actions(button(), select())], [{...section, accessory: image}], [{type: 'header', text: plain('h', 150)}], [{type: 'section', fields: many(10, section.text)}],
    [{type: 'context', elements: [image, section.text]}], many(50, {type: 'divider'}), [image, {type: 'divider', block_id: 'a'}]];
  for (const blocks of fine) assert.doesNotThrow(() => fitsBlockKit({channel: 'C1', text: 'x', blocks}), JSON.stringify(blocks));
  const wrong = {
    'no block': [], '51 blocks': many(51, {type: 'divider'}), 'an unknown block': [{type: 'sektion', text: plain('x')}], 'a misspelt text': [{type: 'section', text: {type: 'mrkdown', text: 'x'}}],
    'a section of nothing': [{type: 'section'}], 'an empty text': [{type: 'section', text: plain('')}], 'a long text': [{type: 'section', text: plain('x', 3001)}], '11 fields': [{type: 'section', fields: many(11, section.text)}],
    'a long field': [{type: 'section', fields: [plain('x', 2001)]}], 'a member nobody knows': [{...section, txt: 'x'}], 'a long header': [{type: 'header', text: plain('h', 151)}], 'a header with marks': [{type: 'header', text: section.text}],
    '26 buttons': [actions(...many(26, button()))], 'a long label': [actions(button({text: plain('x', 76)}))], 'a long value': [actions(button({value: 'x'.repeat(2001)}))], 'a long address': [actions(button({url: 'https://x/' + 'x'.repeat(3000)}))],
    'a style of one\'s own': [actions(button({style: 'link'}))], 'no options': [actions(select({options: []}))], '101 options': [actions(select({options: many(101, option())}))], 'options and groups': [actions(select({option_groups: [{label: plain('x'), options: [option()]}]}))],
    'a long option': [actions(select({options: [option({value: 'x'.repeat(151)})]}))], 'a long placeholder': [actions(select({placeholder: plain('x', 151)}))], 'a list of several among actions': [actions({...select(), type: 'multi_static_select'})],
    'six in an overflow': [actions({type: 'overflow', options: many(6, option())})], '11 boxes': [actions({type: 'checkboxes', options: many(11, option())})], 'an image without words': [{type: 'image', image_url: picture}],
    'an image from nowhere': [{type: 'image', alt_text: 'x'}], 'a button in a context': [{type: 'context', elements: [button()]}], '11 in a context': [{type: 'context', elements: many(11, section.text)}],
    'a confirmation of 31': [actions(button({confirm: {title: plain('x'), text: plain('x'), confirm: plain('x', 31), deny: plain('x')}}))], 'one id twice': many(2, {type: 'divider', block_id: 'a'}), 'one action twice': [actions(...many(2, button({action_id: 'a'})))],
    'much markdown': many(2, {type: 'markdown', text: 'x'.repeat(7000)}),
  };
  for (const [name, blocks] of Object.entries(wrong)) assert.throws(() => fitsBlockKit({channel: 'C1', text: 'x', blocks}), undefined, name);
  assert.throws(() => fitsBlockKit({channel: 'C1'}), undefined, 'a message of nothing');
});

test('Teams: Adaptive Cards are parsed without a complaint and rendered by Microsoft\'s own library', async t => {
  const hub = await startHub(t);
  const cards = (await sentTo(hub, 'teams')).flatMap(([name, bodies]) => bodies.flatMap(b => b.attachments ?? []).filter(a => a.contentType === 'application/vnd.microsoft.card.adaptive').map(a => [name, a.content]));
  assert.ok(cards.length >= 4, JSON.stringify(cards.map(([n]) => n)));
  const page = await (await openBrowser(t)).newPage();
  await page.route('**', r => r.request().url().startsWith('https://img.example.com/') ? r.fulfill({status: 404}) : r.continue());
  await page.addScriptTag({path: join(dirname(need.resolve('adaptivecards/package.json')), 'dist/adaptivecards.js')});
  for (const [name, content] of cards) {
    const seen = await page.evaluate(json => {
      const {AdaptiveCard, HostConfig, SerializationContext} = window.AdaptiveCards;
      const context = new SerializationContext(), it = new AdaptiveCard();
      it.hostConfig = new HostConfig({supportsInteractivity: true, actions: {maxActions: 6}}); // as Teams has it
      it.parse(json, context);
      const bad = it.validateProperties().validationEvents.map(e => e.message);
      const element = it.render();
      document.body.replaceChildren(element);
      return {bad: [...bad, ...[...Array(context.eventCount).keys()].map(i => context.getEventAt(i).message)], text: element.innerText, buttons: element.querySelectorAll('button').length};
    }, content);
    assert.deepEqual(seen.bad, [], name);
    assert.ok(seen.text.trim() && seen.buttons, name);
  }
});
