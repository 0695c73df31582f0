// emoji.ts - those within reach. Any other can be typed or pasted.
export const emojis = [..."😀😄😊🙂😉😍🤔😅😂😢😭😡😴🤝👍👎👌🙏👏💪👋🎉🎁⭐🔥✅❌❓❗💡☀️🌧️❄️🌸🍀📦🚚🏠🏪💳💶⏰📅📷📎📞✉️🔑🧾✈️🚆"].filter((c) => c !== "\ufe0f");
