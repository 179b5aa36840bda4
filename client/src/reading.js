// What to read aloud for a voice sample: 10 to 20 seconds in each language that XTTS speaks.

const PASSAGES = {
  en: "I like to get up early, while the street is still quiet and the light comes slowly over the roofs. Then I make a pot of tea, open the window, and listen: a bicycle, a blackbird, somebody laughing two houses away. What would you do with such an hour?",
  de: "Ich stehe gern früh auf, wenn die Straße noch ruhig ist und das Licht langsam über die Dächer kommt. Dann koche ich Tee, öffne das Fenster und höre zu: ein Fahrrad, eine Amsel, jemand lacht zwei Häuser weiter. Was würdest du mit so einer Stunde anfangen?",
  fr: "J'aime me lever tôt, quand la rue est encore calme et que la lumière passe lentement au-dessus des toits. Je prépare du thé, j'ouvre la fenêtre et j'écoute : un vélo, un merle, quelqu'un qui rit deux maisons plus loin. Que feriez-vous d'une heure pareille ?",
  es: "Me gusta levantarme temprano, cuando la calle todavía está tranquila y la luz llega despacio sobre los tejados. Preparo un té, abro la ventana y escucho: una bicicleta, un mirlo, alguien que se ríe dos casas más allá. ¿Qué harías tú con una hora así?",
  it: "Mi piace alzarmi presto, quando la strada è ancora tranquilla e la luce arriva piano sopra i tetti. Preparo il tè, apro la finestra e ascolto: una bicicletta, un merlo, qualcuno che ride due case più in là. Che cosa faresti con un'ora così?",
  pt: "Gosto de me levantar cedo, quando a rua ainda está calma e a luz chega devagar por cima dos telhados. Faço um chá, abro a janela e escuto: uma bicicleta, um melro, alguém que ri duas casas adiante. O que você faria com uma hora assim?",
  pl: "Lubię wstawać wcześnie, kiedy ulica jest jeszcze cicha, a światło powoli wychodzi zza dachów. Parzę herbatę, otwieram okno i słucham: rower, kos, ktoś śmieje się dwa domy dalej. Co można zrobić z taką godziną?",
  tr: "Sokak henüz sessizken ve ışık çatıların üzerinden yavaşça gelirken erken kalkmayı severim. Çay demler, pencereyi açar ve dinlerim: bir bisiklet, bir karatavuk, iki ev ötede gülen biri. Sen böyle bir saatte ne yapardın?",
  ru: "Я люблю вставать рано, когда на улице ещё тихо, а свет медленно поднимается над крышами. Я завариваю чай, открываю окно и слушаю: велосипед, чёрный дрозд, кто-то смеётся через два дома отсюда. А что бы вы сделали с таким часом?",
  nl: "Ik sta graag vroeg op, als de straat nog stil is en het licht langzaam over de daken komt. Dan zet ik thee, doe ik het raam open en luister ik: een fiets, een merel, iemand die twee huizen verder lacht. Wat zou jij met zo'n uur doen?",
  cs: "Líbí se mi vstávat brzy, když je ulice ještě tichá a světlo se pomalu zvedá nad střechami. Uvařím čaj, otevřu okno a poslouchám: kolo, kos, někdo se směje o dva domy dál. Co byste s takovou hodinou udělali vy?",
  ar: "أحب أن أستيقظ باكرا، حين يكون الشارع هادئا ويأتي الضوء ببطء فوق السطوح. أعد الشاي وأفتح النافذة وأصغي: دراجة، وعصفور، وشخص يضحك على بعد بيتين. ماذا كنت ستفعل في ساعة كهذه؟",
  zh: "我喜欢早起，那时街上还很安静，阳光慢慢地照过屋顶。我泡一壶茶，打开窗户，静静地听：一辆自行车，一只鸟，隔着两栋房子有人在笑。如果给你这样的一个小时，你会做什么呢？",
  hu: "Szeretek korán kelni, amikor az utca még csendes, és a fény lassan átjön a tetők fölött. Teát főzök, kinyitom az ablakot, és hallgatózom: egy kerékpár, egy feketerigó, valaki nevet két házzal arrébb. Te mit kezdenél egy ilyen órával?",
  ko: "저는 거리가 아직 조용하고 햇빛이 지붕 위로 천천히 올라오는 이른 아침에 일어나는 것을 좋아합니다. 차를 끓이고 창문을 열고 귀를 기울입니다. 자전거 소리, 새 소리, 두 집 건너에서 누군가 웃는 소리. 당신이라면 이런 시간에 무엇을 하시겠어요?",
  ja: "私は、通りがまだ静かで、光がゆっくりと屋根の上にのぼってくる早い朝に起きるのが好きです。お茶をいれ、窓を開けて、耳をすまします。自転車の音、鳥の声、二軒先で誰かが笑う声。あなたなら、こんな時間に何をしますか。",
  hi: "मुझे सुबह जल्दी उठना अच्छा लगता है, जब गली अभी शांत होती है और रोशनी धीरे धीरे छतों के ऊपर आती है। फिर चाय बनती है, खिड़की खुलती है और सुनाई देता है: एक साइकिल, एक चिड़िया, दो घर दूर किसी की हँसी। ऐसे समय में आपको क्या करना अच्छा लगेगा?",
};

export const READING_LANGUAGES = Object.keys(PASSAGES);

/**
 * What somebody reads who lends a character of this language a voice.
 * @param {string} language a code such as "de" or "pt-BR"
 * @returns {{words: string, language: string}} English where there is no passage in the language
 */
export function reading(language = "en") {
  const base = language.toLowerCase().split(/[-_]/)[0];
  const found = Object.hasOwn(PASSAGES, base) ? base : "en";
  return { words: PASSAGES[found], language: found };
}
