import { text } from "./strings.js";

// Whisper's languages under the names their speakers use.
const NATIVE = Object.fromEntries(
  `en English|zh 中文|de Deutsch|es Español|ru Русский|ko 한국어|fr Français|ja 日本語|pt Português|tr Türkçe|pl Polski|ca Català|
nl Nederlands|ar العربية|sv Svenska|it Italiano|id Bahasa Indonesia|hi हिन्दी|fi Suomi|vi Tiếng Việt|he עברית|uk Українська|el Ελληνικά|
ms Bahasa Melayu|cs Čeština|ro Română|da Dansk|hu Magyar|ta தமிழ்|no Norsk|th ไทย|ur اردو|hr Hrvatski|bg Български|lt Lietuvių|la Latina|
mi Māori|ml മലയാളം|cy Cymraeg|sk Slovenčina|te తెలుగు|fa فارسی|lv Latviešu|bn বাংলা|sr Српски|az Azərbaycanca|sl Slovenščina|kn ಕನ್ನಡ|
et Eesti|mk Македонски|br Brezhoneg|eu Euskara|is Íslenska|hy Հայերեն|ne नेपाली|mn Монгол|bs Bosanski|kk Қазақша|sq Shqip|sw Kiswahili|
gl Galego|mr मराठी|pa ਪੰਜਾਬੀ|si සිංහල|km ខ្មែរ|sn ChiShona|yo Yorùbá|so Soomaali|af Afrikaans|oc Occitan|ka ქართული|be Беларуская|
tg Тоҷикӣ|sd سنڌي|gu ગુજરાતી|am አማርኛ|yi ייִדיש|lo ລາວ|uz Oʻzbekcha|fo Føroyskt|ht Kreyòl ayisyen|ps پښتو|tk Türkmençe|nn Nynorsk|
mt Malti|sa संस्कृतम्|lb Lëtzebuergesch|my မြန်မာ|bo བོད་ཡིག|tl Tagalog|mg Malagasy|as অসমীয়া|tt Татарча|haw ʻŌlelo Hawaiʻi|ln Lingála|
ha Hausa|ba Башҡортса|jw Basa Jawa|su Basa Sunda|yue 粵語`
    .split("|")
    .map((entry) => entry.trim())
    .map((entry) => [entry.slice(0, entry.indexOf(" ")), entry.slice(entry.indexOf(" ") + 1)]),
);

export const ALL_LANGUAGES = Object.keys(NATIVE);
export const COMMON_LANGUAGES = "en de fr es it pt nl pl tr ru uk ar hi zh ja ko".split(" ");

/** The language's own name, or the code where none is known. */
export function languageName(code) {
  return NATIVE[code] ?? code;
}

/**
 * The languages to choose from in two groups, given what the engine says it knows (nothing said: all).
 * @param {string[]} [offered] codes
 */
export function languageGroups(offered = []) {
  const codes = offered.length ? [...new Set(offered)] : ALL_LANGUAGES;
  const common = COMMON_LANGUAGES.filter((code) => codes.includes(code));
  const rest = codes
    .filter((code) => code !== "auto" && !common.includes(code))
    .sort((a, b) => languageName(a).localeCompare(languageName(b)));
  return [
    { label: text("language.common"), codes: common },
    { label: text("language.all"), codes: rest },
  ].filter((group) => group.codes.length > 0);
}
