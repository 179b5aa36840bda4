// What a connection test has found out, in findings: pure, so that every case can be tested without a network.

const HOST_PORT = /^turns?:([^?]+)/;
const NAMES = { udp: "UDP", tcp: "TCP", tls: "TLS" };

/** "udp", "tcp" or "tls": how the page reaches the relay of this URL. */
export function wayOf(url) {
  if (url.startsWith("turns:")) return "tls";
  return url.includes("transport=tcp") ? "tcp" : "udp";
}

/** Every relay among RTCConfiguration's iceServers: [{url, server}], where `server` is one for this URL alone. */
export function relaysOf(iceServers = []) {
  return iceServers.flatMap((server) =>
    [server.urls].flat().filter((url) => HOST_PORT.test(url)).map((url) => ({ url, server: { ...server, urls: [url] } })),
  );
}

/** What a relay has answered, from the codes of `icecandidateerror` (STUN's; 701: no answer). */
export function relayOutcome({ relayed, codes }) {
  if (relayed) return "works";
  if (codes.some((code) => code === 401 || code === 441)) return "refused";
  if (codes.some((code) => code === 486 || code === 508)) return "full";
  return "silent";
}

/**
 * The way that the media take, from a report of getStats (iterable): "direct", or "udp", "tcp" or "tls" to a relay;
 * null before there is one.
 */
export function pathOf(report) {
  const stats = new Map([...report].map((one) => [one.id, one]));
  const all = [...stats.values()];
  const transport = all.find((one) => one.type === "transport" && one.selectedCandidatePairId);
  const pair = transport
    ? stats.get(transport.selectedCandidatePairId)
    : all.find((one) => one.type === "candidate-pair" && one.nominated && one.state === "succeeded");
  const local = stats.get(pair?.localCandidateId);
  if (!local) return null;
  return local.candidateType === "relay" ? (local.relayProtocol ?? "udp") : "direct";
}

/**
 * The findings, the most important first: [{level: "ok"|"warning"|"error", key, values}], whose `key` is one of
 * strings.js.
 * @param {{webrtc: boolean, online: boolean, forced: boolean, microphone: string,
 *   talk: {outcome: "connected"|"unreachable"|"refused"|"media", path?: string|null, message?: string}|null,
 *   relays: {url: string, outcome: string}[]}} facts `forced`: the page's address allows the relay only;
 *   `microphone`: "ok" or deviceProblem's word
 */
export function findings({ webrtc, online, forced, microphone, talk, relays }) {
  if (!webrtc) return [error("notice.nowebrtc")];
  const tried = relays.map((relay) => ({ ...relay, way: wayOf(relay.url) }));
  return [...ofTalk(talk, tried, { online, forced }), ...tried.map((relay) => ofRelay(relay, tried)), ofMicrophone(microphone)];
}

function ofTalk(talk, relays, { online, forced }) {
  if (!online) return [error("test.offline")];
  if (talk.outcome === "unreachable") return [error("test.unreachable")];
  if (talk.outcome === "refused") return [warning("test.refused", { message: talk.message ?? "" })];
  if (talk.outcome === "connected") {
    if (talk.path === "direct" || !talk.path) return [ok("test.direct")];
    const way = NAMES[talk.path] ?? talk.path;
    return forced ? [ok("test.forced", { way })] : [warning("test.relayed", { way })];
  }
  if (!relays.length) return [error("test.norelay")];
  return [error(relays.some(({ outcome }) => outcome === "works") ? "test.relay.astray" : "test.noway")];
}

function ofRelay({ url, way, outcome }, relays) {
  const values = { way: NAMES[way], relay: url.match(HOST_PORT)[1] };
  if (outcome === "works") return ok("test.relay.works", values);
  if (outcome === "refused" || outcome === "full") return error(`test.relay.${outcome}`, values);
  // A network without UDP is what the other ways are for.
  if (way === "udp" && relays.some((relay) => relay.way !== "udp" && relay.outcome === "works")) return warning("test.noudp", values);
  const another = relays.some((relay) => relay.outcome === "works");
  return (another ? warning : error)("test.relay.silent", values);
}

const ofMicrophone = (microphone) => (microphone === "ok" ? ok("test.microphone") : warning(`mic.${microphone}`));

const ok = (key, values = {}) => ({ level: "ok", key, values });
const warning = (key, values = {}) => ({ level: "warning", key, values });
const error = (key, values = {}) => ({ level: "error", key, values });
