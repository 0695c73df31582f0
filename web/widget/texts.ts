// Every text of the widget in its languages. A catalogue that lacks one does not compile.
export const texts = {
  en: {
    address: "Please check the e-mail address.", hello: "Write to us: we answer here.",
    rate: "How was this chat?", comment: "Anything to add? (optional)", thanks: "Thank you!", seen: "Read", stars: "{0} stars",
    quiet: "Turn sound off", loud: "Turn sound on", dismiss: "Dismiss",
    open: "Open chat", close: "Close chat", title: "Chat with us", name: "Your name", email: "E-mail", subject: "What is it about?", start: "Start chat",
    message: "Message", send: "Send", emoji: "Emoji", attach: "Send a picture", file: "Send a file or a picture", more: "More", transcript: "Save transcript", end: "End chat", again: "New chat",
    typing: "{0} is typing …", joined: "{0} has joined", left: "{0} has left", ended: "The chat has ended.", offline: "Connection lost. Trying again …",
    failed: "Not sent. Try again", large: "The file is too large.", wrong: "Only pictures can be sent.", unavailable: "The chat is not available now.",
    picture: "Picture from {0}", you: "You", choose: "Choose", unread: "{0} new messages", needed: "Please enter your name.", cards: "Cards", scroll: "Messages",
  },
  fr: {
    address: "Veuillez vérifier l’adresse e-mail.", hello: "Écrivez-nous : nous répondons ici.",
    rate: "Comment s’est passé ce chat ?", comment: "Un commentaire ? (facultatif)", thanks: "Merci !", seen: "Lu", stars: "{0} étoiles",
    quiet: "Couper le son", loud: "Activer le son", dismiss: "Ignorer",
    open: "Ouvrir le chat", close: "Fermer le chat", title: "Discutez avec nous", name: "Votre nom", email: "E-mail", subject: "De quoi s’agit-il ?", start: "Commencer",
    message: "Message", send: "Envoyer", emoji: "Émoji", attach: "Envoyer une image", file: "Envoyer un fichier ou une image", more: "Plus", transcript: "Enregistrer la conversation", end: "Terminer le chat", again: "Nouveau chat",
    typing: "{0} écrit …", joined: "{0} a rejoint le chat", left: "{0} a quitté le chat", ended: "Le chat est terminé.", offline: "Connexion perdue. Nouvel essai …",
    failed: "Non envoyé. Réessayer", large: "Le fichier est trop volumineux.", wrong: "Seules les images peuvent être envoyées.", unavailable: "Le chat n’est pas disponible pour le moment.",
    picture: "Image de {0}", you: "Vous", choose: "Choisir", unread: "{0} nouveaux messages", needed: "Veuillez saisir votre nom.", cards: "Cartes", scroll: "Messages",
  },
  ja: {
    address: "メールアドレスをご確認ください。", hello: "メッセージをお送りください。こちらでお答えします。",
    rate: "チャットはいかがでしたか。", comment: "ご意見（任意）", thanks: "ありがとうございました。", seen: "既読", stars: "星 {0}",
    quiet: "通知音をオフにする", loud: "通知音をオンにする", dismiss: "閉じる",
    open: "チャットを開く", close: "チャットを閉じる", title: "チャットで相談", name: "お名前", email: "メールアドレス", subject: "ご用件", start: "チャットを始める",
    message: "メッセージ", send: "送信", emoji: "絵文字", attach: "画像を送る", file: "ファイルや画像を送る", more: "その他", transcript: "会話を保存", end: "チャットを終了", again: "新しいチャット",
    typing: "{0} が入力中…", joined: "{0} が参加しました", left: "{0} が退出しました", ended: "チャットは終了しました。", offline: "接続が切れました。再接続しています…",
    failed: "送信できませんでした。再試行", large: "ファイルが大きすぎます。", wrong: "送信できるのは画像だけです。", unavailable: "ただいまチャットをご利用いただけません。",
    picture: "{0} からの画像", you: "あなた", choose: "選択", unread: "新着メッセージ {0} 件", needed: "お名前を入力してください。", cards: "カード", scroll: "メッセージ一覧",
  },
  ko: {
    address: "이메일 주소를 확인해 주세요.", hello: "메시지를 보내 주세요. 여기에서 답해 드립니다.",
    rate: "채팅은 어떠셨나요?", comment: "의견 (선택 사항)", thanks: "감사합니다!", seen: "읽음", stars: "별 {0}",
    quiet: "알림음 끄기", loud: "알림음 켜기", dismiss: "닫기",
    open: "채팅 열기", close: "채팅 닫기", title: "채팅 상담", name: "이름", email: "이메일", subject: "문의 내용", start: "채팅 시작",
    message: "메시지", send: "보내기", emoji: "이모지", attach: "사진 보내기", file: "파일이나 사진 보내기", more: "더보기", transcript: "대화 저장", end: "채팅 종료", again: "새 채팅",
    typing: "{0} 님이 입력 중…", joined: "{0} 님이 참여했습니다", left: "{0} 님이 나갔습니다", ended: "채팅이 종료되었습니다.", offline: "연결이 끊어졌습니다. 다시 연결하는 중…",
    failed: "보내지 못했습니다. 다시 시도", large: "파일이 너무 큽니다.", wrong: "사진만 보낼 수 있습니다.", unavailable: "지금은 채팅을 이용할 수 없습니다.",
    picture: "{0} 님의 사진", you: "나", choose: "선택", unread: "새 메시지 {0}개", needed: "이름을 입력해 주세요.", cards: "카드", scroll: "메시지",
  },
  "zh-CN": {
    address: "请检查电子邮箱地址。", hello: "请留言，我们会在这里回复您。",
    rate: "您对本次聊天满意吗？", comment: "补充意见（可选）", thanks: "谢谢！", seen: "已读", stars: "{0} 星",
    quiet: "关闭提示音", loud: "打开提示音", dismiss: "忽略",
    open: "打开聊天", close: "关闭聊天", title: "在线咨询", name: "您的姓名", email: "电子邮箱", subject: "咨询内容", start: "开始聊天",
    message: "消息", send: "发送", emoji: "表情", attach: "发送图片", file: "发送文件或图片", more: "更多", transcript: "保存聊天记录", end: "结束聊天", again: "新的聊天",
    typing: "{0} 正在输入…", joined: "{0} 已加入", left: "{0} 已离开", ended: "聊天已结束。", offline: "连接已断开，正在重试…",
    failed: "未发送。重试", large: "文件太大。", wrong: "只能发送图片。", unavailable: "暂时无法聊天。",
    picture: "{0} 的图片", you: "您", choose: "选择", unread: "{0} 条新消息", needed: "请输入您的姓名。", cards: "卡片", scroll: "消息",
  },
  vi: {
    address: "Vui lòng kiểm tra địa chỉ e-mail.", hello: "Hãy viết cho chúng tôi: chúng tôi trả lời tại đây.",
    rate: "Bạn thấy cuộc trò chuyện này thế nào?", comment: "Góp ý thêm (không bắt buộc)", thanks: "Cảm ơn bạn!", seen: "Đã xem", stars: "{0} sao",
    quiet: "Tắt âm báo", loud: "Bật âm báo", dismiss: "Bỏ qua",
    open: "Mở trò chuyện", close: "Đóng trò chuyện", title: "Trò chuyện với chúng tôi", name: "Tên của bạn", email: "E-mail", subject: "Bạn cần hỗ trợ gì?", start: "Bắt đầu",
    message: "Tin nhắn", send: "Gửi", emoji: "Biểu tượng cảm xúc", attach: "Gửi hình ảnh", file: "Gửi tệp hoặc hình ảnh", more: "Thêm", transcript: "Lưu cuộc trò chuyện", end: "Kết thúc trò chuyện", again: "Trò chuyện mới",
    typing: "{0} đang nhập …", joined: "{0} đã tham gia", left: "{0} đã rời đi", ended: "Cuộc trò chuyện đã kết thúc.", offline: "Mất kết nối. Đang thử lại …",
    failed: "Chưa gửi được. Thử lại", large: "Tệp quá lớn.", wrong: "Chỉ có thể gửi hình ảnh.", unavailable: "Hiện không thể trò chuyện.",
    picture: "Hình ảnh từ {0}", you: "Bạn", choose: "Chọn", unread: "{0} tin nhắn mới", needed: "Vui lòng nhập tên của bạn.", cards: "Thẻ", scroll: "Tin nhắn",
  },
} satisfies Record<string, Record<string, string>>;

export type Text = keyof (typeof texts)["en"];
export type Language = keyof typeof texts;

/** The language that fits best: "fr-CA" is fr, "zh" and "zh-TW" are zh-CN. */
export function languageOf(wanted: readonly string[]): Language {
  const all = Object.keys(texts) as Language[];
  for (const one of wanted) {
    const exact = all.find((l) => l.toLowerCase() === one.toLowerCase());
    const near = all.find((l) => l.split("-")[0] === one.toLowerCase().split("-")[0]);
    if (exact ?? near) return (exact ?? near)!;
  }
  return "en";
}

/** A browser may say what no date can be written with: "en-US@posix" of Chromium, where the machine's language is C. */
function canWrite(l: string): boolean {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(l).length > 0;
  } catch {
    return false;
  }
}
/** As the guest's own country writes dates, where the browser says which: "en" is en-GB. */
export function regionOf(l: string): string {
  return navigator.languages.find((x) => (x === l || x.startsWith(`${l}-`)) && canWrite(x)) ?? l;
}

let language: Language = "en";
export function speak(l: Language): void {
  language = l;
}
export function t(key: Text, value = ""): string {
  return (texts[language] as Record<Text, string>)[key].replace("{0}", () => value);
}
