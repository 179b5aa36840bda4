/**
 * What RTCPeerConnection is made of: the gateway's ICE servers, and where the page's address ends in `?transport=relay`
 * no way but through the relay. That is for those who test a relay; it connects where a direct way would have, too.
 * @param {{iceServers: object[]}} config
 * @param {string} search the page's `location.search`
 */
export function peerConfig(config, search) {
  return new URLSearchParams(search).get("transport") === "relay" ? { ...config, iceTransportPolicy: "relay" } : config;
}
