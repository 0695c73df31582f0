// samples.mjs - the shapes of canned responses that operators copy out of guides and builders, with the slips such copies have.
//
// name, text, substitutions (id and defaultValue), values (given with the command); goes: what each network makes of it: a pattern its payload fits, or
// an Error whose message is (part of) what the agent is told. `other`: every network not named.
const error = text => new Error(text);
const foreign = { // an object of another network's own
  line: error('the type of object 1 is no message object of LINE'), telegram: error('the object needs a method that begins with send'),
  teams: error('an Adaptive Card, an attachment or an activity is wanted'), slack: error('the object needs blocks, attachments or a text'),
  apple: error('the object needs listPicker, event, quick-reply, dynamic, authenticate or payment'),
};
const nowhere = text => ({other: error(text)});
const sub = (id, defaultValue) => ({id, defaultValue});

export const samples = [
  {name: 'apple quick reply', text: `{
  "data": {
    "quick-reply": {
      "summaryText": "How can we help?",
      "items": [
        { "identifier": "1", "title": "See a film" },
        { "identifier": "2", "title": "Opening hours" },
        { "identifier": "3", "title": "Adopt a pet" },
        { "identifier": "4", "title": "Speak to somebody" }
      ]
    }
  }
}`, goes: {...foreign, apple: /"quick-reply".*See a film/}},
  {name: 'apple list picker', text: `{
  "data": {
    "listPicker": {
      "sections": [
        { "items": [
            { "identifier": "1", "order": 0, "style": "default", "subtitle": "Sweet", "title": "Pear" },
            { "identifier": "2", "order": 1, "style": "default", "subtitle": "Sour", "title": "Lemon" }
          ], "order": 0, "title": "Fruit", "multipleSelection": true },
        { "items": [
            { "identifier": "3", "order": 0, "style": "default", "subtitle": "Green", "title": "Leek" },
            { "identifier": "4", "order": 1, "style": "default", "subtitle": "Long", "title": "Cucumber" }
          ], "order": 1, "title": "Greens" }
      ]
    }
  }
}`, goes: {...foreign, apple: /"listPicker".*Cucumber/}},
  {name: 'apple time picker', text: `{
  "data": {
    "event": {
      "identifier": "1", "title": "When may we call at your house?",
      "location": { "title": "Our shop", "latitude": 35.6650161, "longitude": 139.7432184, "radius": 17 }
    },
    "timezoneOffset": 5400,
    "timeslots": [
      { "identifier": "0", "startTime": "2032-07-10T17:00+0000", "duration": 3600 },
      { "identifier": "1", "startTime": "2032-07-31T15:00+0000", "duration": 3600 }
    ]
  },
  "receivedMessage": { "imageIdentifier": "0", "style": "icon", "title": "Pick a time", "subtitle": "It takes an hour" },
  "replyMessage": { "style": "icon", "title": "Thanks!" }
}`, goes: {...foreign, apple: /"event".*call at your house/}},
  {name: 'apple rich link', text: `{
  "body": "https://shop.example.com/tablet/",
  "type": "richLink",
  "richLinkData": {
    "url": "https://shop.example.com/tablet/",
    "title": "A tablet",
    "assets": { "image": { "url": "
https://cdn.example.com/library/images/en_US/
tablet/colours.png", "mimeType": "image/jpeg" } }
  }
}`, goes: {...foreign, apple: /shop\.example\.com\/tablet/}},
  {name: 'apple payment', text: `{
  "data": {
    "images": [ { "url": "https://pictures.example.com/250", "identifier": "1" } ],
    "payment": {
      "paymentRequest": {
        "countryCode": "US", "currencyCode": "USD",
        "lineItems": [ { "amount": "1.00", "label": "Badges", "type": "final" }, { "amount": "0.50", "label": "Post", "type": "final" } ],
        "requiredBillingContactFields": [
        ],
        "requiredShippingContactFields": [
        ],
        "shippingMethods": [ { "amount": "0.00", "detail": "In an hour", "identifier": "in_store_pickup", "label": "Fetch it" } ],
        "total": { "amount": "1.50", "label": "Our shop", "type": "final" }
      }
    }
  },
  "receivedMessage": {
    "imageIdentifier": "1", "style": "large",
    "subtitle": "$1.50 at our shop",
    "title": "Badges",
  }
}`, goes: {...foreign, apple: error('a payment needs its merchantSession and endpoints')}}, // set up with Apple
  {name: 'apple authentication', text: `{
  "data": { "images": [ { "url": "https://pictures.example.com/u?s=200&v=4", "identifier": "1" } ], "authenticate": {} },
  "receivedMessage": { "imageIdentifier": "1", "style": "large", "title": "Sign in" },
  "replyMessage": { "title": "You are in" }
}`, goes: {...foreign, apple: error('a request to sign in needs its oauth2 member')}},
  {name: 'apple application', text: `{
  "bid": "com.apple.messages.MSMessageExtensionBalloonPlugin:AB12CD34EF:
com.example.parcels.MessagesExtension",
  "appId": "123456789", "appName": "Parcels",
  "URL": "?name=Books&deliveryDate=09-06-2032&
destinationName=Hall&state=CA",
  "receivedMessage": { "title": "Books", "subtitle": "On their way" },
  "useLiveLayout": true
}`, goes: {...foreign, apple: /com\.example\.parcels/}},
  {name: 'business suggestions', text: `{
  "text": "Good day, world!",
  "fallback": "Good day, world!\\n\\nReply with \\"Hello\\" or \\"Hi!\\"",
  "suggestions": [
    { "reply": { "text": "Hello", "postbackData": "hello-formal" } },
    { "reply": { "text": "Hi!", "postbackData": "hello-informal" } }
  ]
}`, goes: {...foreign, slack: /Good day, world!/}},
  {name: 'business card', text: `{
  "fallback": "Good day!\\nReply with \\"Suggestion #1\\"",
  "richCard": { "standaloneCard": { "cardContent": {
    "title": "Good day!", "description": "From us.",
    "media": { "height": "TALL", "contentInfo": { "altText": "A logo", "fileUrl": "
https://www.example.com/images/logo_272x92dp.png", "forceRefresh": false } },
    "suggestions": [ { "action": { "text": "Call", "postbackData": "s3", "dialAction": { "phoneNumber": "+13175550100" } } } ]
  } } }
}`, goes: foreign},
  {name: 'templated, braces mixed up', substitutions: [sub('question', 'Shall we?'), sub('OK', 'Yes'), sub('Cancel', 'No'), sub('OK_payload', ''), sub('Cancel_payload', '')], text: `{
  "genesys_prompt": "{{question}}",
  "genesys_quick_replies": [{
    {{- if .OK_payload}}
      "text": "{{(OK)}}", "payload": "{{(OK_payload)}}"
    {{- else}}
      "text": "{{(OK)}}", "payload": "answer={{(OK)}}"
    {{- end}}
  ]},
  {{- if .Cancel_payload}}
    "text": "{{(Cancel)}}", "payload": "{{(Cancel_payload)}}"
  {{- else}}
    "text": "{{(Cancel)}}", "payload": "answer={{(Cancel)}}"
  {{- end}}
  ]}
}`, goes: nowhere('its JSON is not valid: line 5: ] where the object that began in line 3 ends with }')},
  {name: 'templated quick replies, brackets mixed up', substitutions: [sub('question', 'Shall we?'), sub('OK', 'Yes'), sub('Cancel', 'No'), sub('OK_payload', ''), sub('Cancel_payload', 'nope')], text: `{
  "genesys_prompt": "{{question}}",
  "genesys_quick_replies": [{
    {{- if .OK_payload}}
    "text": "{{OK}}", "payload": "{{OK_payload}}"
    {{- else}}
    "text": "{{OK}}", "payload": "answer={{OK}}"
    {{- end}}
  ], {
    {{- if .Cancel_payload}}
    "text": "{{Cancel}}", "payload": "{{Cancel_payload}}"
    {{- else}}
    "text": "{{Cancel}}", "payload": "answer={{Cancel}}"
    {{- end}}
  ]
}`, goes: nowhere('its JSON is not valid: line 5: ] where the object that began in line 3 ends with }')},
  {name: 'templated quick replies', substitutions: [sub('question', 'Shall we?'), sub('OK', 'Yes'), sub('Cancel', 'No'), sub('OK_payload', ''), sub('Cancel_payload', 'nope')],
    values: {question: 'Shall we say "yes"?'}, text: `{
  "genesys_prompt": "{{question}}",
  "genesys_quick_replies": [{
    {{- if .OK_payload}}
    "text": "{{(OK)}}", "payload": "{{(OK_payload)}}",
    {{- else}}
    "text": "{{(OK)}}", "payload": "answer={{(OK)}}",
    {{- end}}
  }, {
    {{- if .Cancel_payload}}
    "text": "{{Cancel}}", "payload": "{{Cancel_payload}}"
    {{- else}}
    "text": "{{Cancel}}", "payload": "answer={{Cancel}}"
    {{- end}}
  }]
}`, goes: {other: /Shall we say \\+"yes\\+"\?.*Yes.*No/s}},
  {name: 'templated button, discount', values: {name: 'John', total: '12'}, substitutions: [sub('name', 'friend'), sub('total', '0')], text: `{
  "name": "{{name}}", // a placeholder of the desk
  {{ if gt .total 10}} // a condition
    "text": "{{.name}}, this time you pay less", // a placeholder of the language
  {{ else }}
    "text": "Another time perhaps",
  {{ end }}
  "type": "Button"
}`, goes: {other: /John, this time you pay less/}},
  {name: 'templated button, default', substitutions: [sub('name', 'friend'), sub('total', '0')], text: `{
  "name": "{{name}}", // a placeholder of the desk
  {{ if gt .total 10}} // a condition
    "text": "{{.name}}, this time you pay less",
  {{ else }}
    "text": "Another time perhaps",
  {{ end }}
  "type": "Button"
}`, goes: {other: /Another time perhaps/}},
  {name: 'library function', substitutions: [sub('name', '')], text: `{
  "text": "{{default "Good day" .name}}"
}`, goes: {other: /Good day/}},
  {name: 'location', text: `{
  "type": "location",
  "title": "Our house",
  "address": "1 Sample Boulevard, Town, California 94014",
  "latitude": 37.7011118,
  "longitude": -122.4719997
}`, goes: {other: /37\.70111/}},
  {name: 'sticker', text: `{
  "type": "sticker",
  "title": "Hug",
  "stickerId": 40130
}`, goes: {other: /Hug/}},
  {name: 'viber sticker', text: `{
  "type": "sticker",
  "stickerId": "bfe458bf64fa8da4d4eb"
}`, goes: {other: /sticker/i}},
  {name: 'workspace card', text: `{
  "header": { "title": "Sasha", "subtitle": "Engineer", "imageUrl": "https://pictures.example.com/avatar.png", "imageType": "CIRCLE", "imageAltText": "Sasha" },
  "sections": [
    { "header": "How to reach Sasha", "collapsible": true, "uncollapsibleWidgetsCount": 1,
      "widgets": [
        { "decoratedText": { "startIcon": { "imageType": "CIRCLE", "knownIcon": "EMAIL" }, "text": "sasha@example.com" } },
        { "buttonList": { "buttons": [
          { "text": "Edit", "onClick": { "action": { "interaction": "OPEN_DIALOG", "function": "@Edit", // the name of the canned response
            "parameters": [ { "key": "type", "value": "cannedResponse" // it is fetched
            } ] } } } ] } }
      ] }
  ]
}`, goes: foreign},
  {name: 'line flex', text: `{
  "type": "flex",
  "altText": "flex message",
  "contents": {
    "type": "bubble",
    "hero": { "type": "image", "url": "https://pictures.example.com/cafe.png", "size": "full", "aspectRatio": "20:13", "aspectMode": "cover",
      "action": { "type": "uri", "uri": "http://example.com/" } },
    "body": { "type": "box", "layout": "vertical", "contents": [
      { "type": "text", "text": "Green Cafe", "weight": "bold", "size": "xl" },
      { "type": "box", "layout": "baseline", "margin": "md", "contents": [
        { "type": "icon", "size": "sm", "url": "https://pictures.example.com/star_28.png" },
        { "type": "text", "text": "4.0", "size": "sm", "color": "#999999", "margin": "md", "flex": 0 } ] },
      { "type": "box", "layout": "vertical", "margin": "lg", "spacing": "sm", "contents": [
        { "type": "box", "layout": "baseline", "spacing": "sm", "contents": [
          { "type": "text", "text": "Place", "color": "#aaaaaa", "size": "sm", "flex": 1 },
          { "type": "text", "text": "Tower, 4-1-6 Sample, Tokyo", "wrap": true, "color": "#666666", "size": "sm", "flex": 5 } ] } ] } ] },
    "footer": { "type": "box", "layout": "vertical", "spacing": "sm", "contents": [
      { "type": "button", "style": "link", "height": "sm", "action": { "type": "uri", "label": "CALL", "uri": "https://example.com" } } ], "flex": 0 }
  }
}`, goes: {...foreign, line: /"type":"flex".*Green Cafe/}},
  {name: 'adaptive card', text: `{
  "$schema": "https://adaptivecards.io/schemas/adaptive-card.json",
  "type": "AdaptiveCard",
  "version": "1.0",
  "body": [
    { "type": "Container", "items": [
      { "type": "TextBlock", "text": "Publish the schema", "weight": "bolder", "size": "medium" },
      { "type": "ColumnSet", "columns": [
        { "type": "Column", "width": "auto", "items": [ { "type": "Image", "url": "
https://pictures.example.com/400x400.jpeg", "size": "small", "style": "person" } ] },
        { "type": "Column", "width": "stretch", "items": [
          { "type": "TextBlock", "text": "Created {{DATE(2017-02-14T06:08:39Z, SHORT)}}", "isSubtle": true, "wrap": true } ] } ] } ] },
    { "type": "Container", "items": [
      { "type": "TextBlock", "text": "Now that the rules of the format are there, \u21b5
we need a schema, and it shall be published. \u21b5
It comes first.", "wrap": true },
      { "type": "FactSet", "facts": [ { "title": "Board:", "value": "Cards" }, { "title": "Due date:", "value": "Not set" } ] } ] }
  ],
  "actions": [
    { "type": "Action.ShowCard", "title": "Comment", "card": { "type": "AdaptiveCard",
      "body": [ { "type": "Input.Text", "id": "comment", "isMultiline": true, "placeholder": "Say something" } ],
      "actions": [ { "type": "Action.Submit", "title": "OK" } ] } },
    { "type": "Action.OpenUrl", "title": "View", "url": "https://adaptivecards.io" }
  ]
}`, goes: {...foreign, teams: /AdaptiveCard.*DATE\(2017.*format are there, we need a schema/}},
  {name: 'slack approval', text: `{
  "blocks": [
    { "type": "section", "text": { "type": "mrkdwn", "text": "Someone asks:\\n*<https://example.com|Fred - a day off>*" } },
    { "type": "section", "text": { "type": "mrkdwn", "text": "*Type:*\\nDay off\\n*When:*\\nAug 10-Aug 13\\n \u21b5
*Hours:* 16.0 (2 days)\\n*Comments:* \\"Off to the lake!\\"" },
      "accessory": { "type": "image", "image_url": "https://pictures.example.com/device.png", "alt_text": "a computer" } },
    { "type": "actions", "elements": [
      { "type": "button", "text": { "type": "plain_text", "emoji": true, "text": "Approve" }, "style": "primary", "value": "click_me_approve" },
      { "type": "button", "text": { "type": "plain_text", "emoji": true, "text": "Deny" }, "style": "danger", "value": "click_me_deny" } ] }
  ]
}`, goes: {...foreign, slack: /blocks.*\*Hours:\* 16\.0/}},
  {name: 'slack notification', text: `{
  "blocks": [
    { "type": "section", "text": { "type": "plain_text", "emoji": true, "text": "Two events at one time:" } },
    { "type": "divider" },
    { "type": "section", "text": { "type": "mrkdwn", "text": "*<https://example.com|Iris and Zelda>*\\nTuesday" },
      "accessory": { "type": "image", "image_url": "https://pictures.example.com/notifications.png", "alt_text": "a calendar" } },
    { "type": "context", "elements": [
      { "type": "image", "image_url": "\u21b5

https://pictures.example.com/warning.png", "alt_text": "a warning" },
      { "type": "mrkdwn", "text": "*At the same time as the team*" } ] },
    { "type": "section", "text": { "type": "mrkdwn", "text": "*Today - 4:30-5pm*" },
      "accessory": { "type": "button", "text": { "type": "plain_text", "emoji": true, "text": "Choose" }, "value": "click_me_1630" } }
  ]
}`, goes: {...foreign, slack: /"image_url":"https:\/\/pictures\.example\.com\/warning\.png"/}},
  {name: 'viber carousel, a comma missing', text: `{
  "type": "rich_media",
  "rich_media": {
    "Type": "rich_media", "ButtonsGroupColumns": 6, "ButtonsGroupRows": 7, "BgColor": "#FFFFFF",
    "Buttons": [
      { "Columns": 6, "Rows": 2,
        "Text": "<font color=#323232><b>A shirt</b></font>"
        "ActionType": "open-url", "ActionBody": "https://www.example.com" }
    ]
  }
}`, goes: nowhere('its JSON is not valid: line 8: " where a comma or } is expected')},
  {name: 'viber carousel', text: `{
  "type": "rich_media",
  "rich_media": {
    "Type": "rich_media", "ButtonsGroupColumns": 6, "ButtonsGroupRows": 7, "BgColor": "#FFFFFF",
    "Buttons": [
      { "Columns": 6, "Rows": 2, "Text": "<font color=#323232><b>Headphones, \u21b5
on-ear</b></font>", "ActionType": "open-url", "ActionBody": "https://www.example.com", "TextSize": "medium" }
    ]
  }
}`, goes: foreign},
  {name: 'zalo list', text: `{
  "attachment": {
    "type": "template",
    "payload": { "template_type": "list", "elements": [
      { "title": "One", "subtitle": "First", "image_url": "https://pictures.example.com/bg_1.jpg",
        "default_action": { "type": "oa.open.url", "url": "https://www.example.com/147" } } ] }
  }
}`, goes: foreign},
  {name: 'plain text', text: 'Some great answer!', goes: {other: /Some great answer/}},
];
