import { findings } from "./diagnosis.js";
import { element, icon } from "./dom.js";
import { Fold } from "./fold.js";
import { connectedPath, tryMicrophone, tryRelays, tryTalk } from "./probes.js";
import { preferredLanguage, text } from "./strings.js";
import { sessionUrl } from "./talk.js";
import { peerConfig } from "./transport.js";

const ICONS = { ok: "check", warning: "warning", error: "warning" };

/** The connection test: a button, and below it what works and what is blocked, in words. */
export class ConnectionTest {
  #sheet;
  #peer;
  #microphone;
  #knock;
  #language;
  #running = false;

  /**
   * @param {{peer: () => RTCPeerConnection|null, microphone: () => MediaStreamTrack|null, knock: () => Promise<void>}}
   *   talk of a talk that goes on, which is then looked at instead of tried; `knock` asks whether we are let in at all
   */
  constructor(button, sheet, { peer, microphone, knock }, language = preferredLanguage(navigator.languages)) {
    this.#sheet = sheet;
    this.#peer = peer;
    this.#microphone = microphone;
    this.#knock = knock;
    this.#language = language;
    sheet.lang = language;
    new Fold(button, sheet);
    button.addEventListener("click", () => sheet.hidden || this.#run());
  }

  async #run() {
    if (this.#running) return;
    this.#running = true;
    this.#sheet.setAttribute("aria-busy", "true");
    this.#show([element("li", { class: "finding", data: { level: "busy" } }, icon("dash"), this.#say("test.running"))]);
    try {
      const found = findings(await this.#facts());
      this.#show(found.map(({ level, key, values }) => this.#row(level, this.#say(key, values), key)));
    } finally {
      this.#running = false;
      this.#sheet.removeAttribute("aria-busy");
    }
  }

  async #facts() {
    const facts = { webrtc: Boolean(window.RTCPeerConnection), online: navigator.onLine, talk: null, relays: [], microphone: "ok" };
    if (!facts.webrtc) return facts;
    facts.microphone = await tryMicrophone(this.#microphone());
    facts.talk = await this.#talk();
    if (facts.talk.outcome === "unreachable") await this.#knock();
    facts.relays = await tryRelays(facts.talk.iceServers, createPeer);
    return { ...facts, forced: peerConfig({}, location.search).iceTransportPolicy === "relay" };
  }

  async #talk() {
    const peer = this.#peer();
    if (peer?.connectionState === "connected") {
      return { outcome: "connected", path: await connectedPath(peer), iceServers: peer.getConfiguration().iceServers };
    }
    return tryTalk({ createSocket: (resume) => new WebSocket(sessionUrl(document.baseURI, resume)), createPeer });
  }

  #say(key, values) {
    return text(key, values, this.#language);
  }

  #row(level, words, key) {
    return element("li", { class: "finding", data: { testid: "finding", level, key } }, icon(ICONS[level]), words);
  }

  #show(rows) {
    this.#sheet.replaceChildren(...rows);
  }
}

function createPeer(config) {
  return new RTCPeerConnection(peerConfig(config, location.search));
}
