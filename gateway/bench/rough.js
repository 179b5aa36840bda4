// In the page, for measurements of a rough network only: keeps all that comes out of the portrait's audio track, over
// one connection after another, as 16-bit samples at 16 kHz, and what the gateway says. Times are ms since 1970.
window.rough = {messages: [], tracks: 0};

(() => {
  const {rough} = window;
  const RATE = 16_000;
  // An AudioWorklet, for the page's own thread may be late; blocks of 128 samples, sent on by the 32.
  const RECORDER = `registerProcessor("recorder", class extends AudioWorkletProcessor {
    constructor() { super(); this.block = new Float32Array(4096); this.filled = 0; }
    process([[input]]) {
      if (input) this.block.set(input, this.filled); else this.block.fill(0, this.filled, this.filled + 128);
      this.filled += 128;
      if (this.filled === this.block.length) {
        this.port.postMessage(this.block.slice());
        this.filled = 0;
      }
      return true;
    }
  })`;
  const now = () => performance.timeOrigin + performance.now();
  let blocks = [], told = []; // `told`: when each block was told of, which is after its last sample
  let recorder = null;

  const start = async () => {
    // Large buffers: on a busy machine the recording shall not be what is short.
    const context = new AudioContext({sampleRate: RATE, latencyHint: 'playback'});
    await context.audioWorklet.addModule(URL.createObjectURL(new Blob([RECORDER], {type: 'text/javascript'})));
    const node = new AudioWorkletNode(context, 'recorder', {channelCount: 1, channelCountMode: 'explicit'});
    node.port.onmessage = ({data: block}) => {
      told.push(now());
      blocks.push(block);
    };
    node.connect(context.destination);
    return {context, node};
  };
  const listen = async (track) => {
    recorder ??= start();
    const {context, node} = await recorder;
    rough.tracks += 1;
    context.createMediaStreamSource(new MediaStream([track])).connect(node);
  };
  const Peer = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Peer {
    constructor(...parts) {
      super(...parts);
      this.addEventListener('track', ({track}) => track.kind === 'audio' && listen(track));
    }
    createDataChannel(...parts) {
      const channel = super.createDataChannel(...parts);
      channel.addEventListener('message', ({data}) => rough.messages.push([now(), JSON.parse(data)]));
      return channel;
    }
  };

  /** What was recorded since the last time: {told, samples}, times of its blocks and its samples' bytes in base64. */
  rough.take = () => {
    const bytes = [];
    for (const block of blocks) {
      const samples = Int16Array.from(block, (value) => 32767 * Math.max(-1, Math.min(1, value)));
      bytes.push(String.fromCharCode(...new Uint8Array(samples.buffer)));
    }
    const taken = {told, samples: btoa(bytes.join(''))};
    blocks = [];
    told = [];
    return taken;
  };
  /** WebRTC's statistics of what comes in, by kind, and the round trip of its packets. */
  rough.statistics = async () => {
    const found = {};
    for (const report of (await window.antlitz.peer.getStats()).values()) {
      if (report.type === 'inbound-rtp') found[report.kind] = report;
      if (report.type === 'candidate-pair' && report.nominated) found.pair = report;
    }
    return found;
  };
})();
