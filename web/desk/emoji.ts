// emoji.ts - those within reach. Any other can be typed or pasted.
export const emojis = "😀😄😊🙂😉😍🤔😅😂😢😭😡😴🤝👍👎👌🙏👏💪👋🎉🎁⭐🔥✅❌❓❗💡☀️🌧️❄️🌸🍀📦🚚🏠🏪💳💶⏰📅📷📎📞✉️🔑🧾✈️🚆".match(/.\ufe0f?/gu) ?? [];
