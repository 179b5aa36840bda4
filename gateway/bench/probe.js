// In the page, for measurements only: when sound begins and ends at the microphone and the loudspeaker, when frames are
// shown, how bright the portrait's mouth is in each. Times are performance.now() in ms.
window.probe = {microphone: [], loudspeaker: [], frames: [], messages: [], mouth: null};

(() => {
  const probe = window.probe;
  const listen = (context, stream, into) => {
    const source = context.createMediaStreamSource(stream);
    // A block of 256 samples is 5 ms: fine enough to time a sound; AudioWorklet would need a module of its own.
    const meter = context.createScriptProcessor(256, 1, 1);
    meter.onaudioprocess = (event) => {
      const samples = event.inputBuffer.getChannelData(0);
      let sum = 0;
      for (const sample of samples) sum += sample * sample;
      into.push([performance.now(), Math.sqrt(sum / samples.length)]);
    };
    source.connect(meter).connect(context.destination);
  };
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    const stream = await open(constraints);
    probe.microphoneOpened = performance.now();
    listen(new AudioContext(), stream.clone(), probe.microphone);
    return stream;
  };
  const channel = RTCPeerConnection.prototype.createDataChannel;
  RTCPeerConnection.prototype.createDataChannel = function (...parts) {
    const made = channel.apply(this, parts);
    made.addEventListener('message', ({data}) => probe.messages.push([performance.now(), data]));
    return made;
  };
  probe.attach = (video) => {
    const canvas = new OffscreenCanvas(24, 16);
    const pencil = canvas.getContext('2d', {willReadFrequently: true});
    const shown = (now, frame) => {
      let luma = 0;
      if (probe.mouth) {
        const [x, y, width, height] = probe.mouth;
        pencil.drawImage(video, x, y, width, height, 0, 0, 24, 16);
        const pixels = pencil.getImageData(0, 0, 24, 16).data;
        for (let at = 0; at < pixels.length; at += 4) luma += pixels[at] + pixels[at + 1] + pixels[at + 2];
        luma /= pixels.length * 0.75;
      }
      probe.frames.push([frame.expectedDisplayTime, luma]);
      video.requestVideoFrameCallback(shown);
    };
    video.requestVideoFrameCallback(shown);
    listen(new AudioContext(), new MediaStream(video.srcObject.getAudioTracks()), probe.loudspeaker);
  };
  probe.video = async () => {
    for (const report of (await window.antlitz.peer.getStats()).values()) {
      if (report.type === 'inbound-rtp' && report.kind === 'video') {
        const {framesDecoded, framesDropped, freezeCount, totalFreezesDuration, frameWidth, bytesReceived} = report;
        return {framesDecoded, framesDropped, freezeCount, totalFreezesDuration, frameWidth, bytesReceived};
      }
    }
    return null;
  };
})();
