// In the page, for measurements only: a microphone that says what it is told, and notes of what is seen and heard.
// Light enough for several pages on a busy machine. Times are performance.now() in ms.
window.visitor = {voices: [], frames: [], heard: [], messages: [], seconds: []};

(() => {
  const {visitor} = window;
  const LOUD = 0.01; // of full scale, RMS of 5 ms
  const BLOCK = 240; // samples, 5 ms
  let context = null;
  let mouth = null;

  navigator.mediaDevices.getUserMedia = async () => {
    context ??= new AudioContext({sampleRate: 48_000});
    await context.resume();
    mouth = context.createMediaStreamDestination();
    room().connect(mouth);
    return mouth.stream;
  };
  /** A quiet room, -80 dB: a destination that nothing plays into sends nothing at all, and no turn would ever end. */
  const room = () => {
    const buffer = new AudioBuffer({length: context.sampleRate, sampleRate: context.sampleRate, numberOfChannels: 1});
    buffer.copyToChannel(Float32Array.from({length: buffer.length}, () => (Math.random() - 0.5) * 3.5e-4), 0);
    const source = new AudioBufferSourceNode(context, {buffer, loop: true});
    source.start();
    return source;
  };
  /** PCM, 16 bits, as base64: one more thing to say. */
  visitor.load = (base64, sampleRate) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const pcm = new Int16Array(bytes.buffer);
    const buffer = new AudioBuffer({length: pcm.length, sampleRate, numberOfChannels: 1});
    buffer.copyToChannel(Float32Array.from(pcm, (sample) => sample / 32768), 0);
    visitor.voices.push(buffer);
  };
  /** Begin to say it; when that was. */
  visitor.say = (index) => {
    const source = new AudioBufferSourceNode(context, {buffer: visitor.voices[index]});
    source.connect(mouth);
    source.start();
    return performance.now();
  };

  const make = RTCPeerConnection.prototype.createDataChannel;
  RTCPeerConnection.prototype.createDataChannel = function (...parts) {
    const channel = make.apply(this, parts);
    channel.addEventListener('message', ({data}) => {
      if (!data.includes('"pong"')) visitor.messages.push([performance.now(), data]);
    });
    return channel;
  };

  const count = async () => {
    const noted = {at: performance.now()};
    for (const report of (await window.antlitz.peer.getStats()).values()) {
      if (report.type !== 'inbound-rtp') continue;
      const {framesDecoded, framesDropped, freezeCount, totalFreezesDuration, bytesReceived} = report;
      const {concealedSamples, silentConcealedSamples, packetsLost, jitterBufferDelay, jitterBufferEmittedCount} = report;
      if (report.kind === 'video') Object.assign(noted, {framesDecoded, framesDropped, freezeCount, totalFreezesDuration, bytesReceived});
      else Object.assign(noted, {concealedSamples, silentConcealedSamples, packetsLost, jitterBufferDelay, jitterBufferEmittedCount});
    }
    visitor.seconds.push(noted);
  };
  /** Note what this video shows and what is heard with it. */
  visitor.attach = (video) => {
    const ear = new AnalyserNode(context, {fftSize: 2048}); // 43 ms: each look, one a frame, sees all since the last
    context.createMediaStreamSource(new MediaStream(video.srcObject.getAudioTracks())).connect(ear);
    const samples = new Float32Array(ear.fftSize);
    let known = 0;
    const listen = () => {
      const now = performance.now();
      ear.getFloatTimeDomainData(samples);
      for (let start = 0; start < samples.length; start += BLOCK) {
        const at = now - ((samples.length - start) / context.sampleRate) * 1000;
        if (at <= known) continue;
        let sum = 0;
        for (const sample of samples.subarray(start, start + BLOCK)) sum += sample * sample;
        if (sum > LOUD * LOUD * BLOCK) visitor.heard.push(at);
        known = at;
      }
    };
    const shown = (now, frame) => {
      visitor.frames.push(frame.expectedDisplayTime);
      listen();
      video.requestVideoFrameCallback(shown);
    };
    video.requestVideoFrameCallback(shown);
    setInterval(count, 1000);
  };
  /** Everything noted since the last time. */
  visitor.drain = () => {
    const {frames, heard, messages, seconds} = visitor;
    Object.assign(visitor, {frames: [], heard: [], messages: [], seconds: []});
    return {frames, heard, messages, seconds, now: performance.now()};
  };
})();
