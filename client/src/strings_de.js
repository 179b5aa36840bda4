// German, as far as the page speaks it: the connection test, which is read out to whoever runs the network.

export const GERMAN = {
  "test.title": "Verbindung prüfen",
  "test.running": "Mikrofon, Weg zum Server und Relais werden geprüft …",
  "test.offline": "Dieses Gerät ist offline.",
  "test.unreachable": "Der Server antwortet nicht. Vielleicht ist er ausgeschaltet, oder ein Proxy lässt keine WebSockets durch.",
  "test.refused": "Der Server antwortet, nimmt aber gerade kein Gespräch zur Probe an: {message}",
  "test.direct": "Ton und Bild erreichen den Server auf direktem Weg.",
  "test.relayed": "Der direkte Weg zum Server ist versperrt; das Relais befördert Ton und Bild über {way}.",
  "test.forced": "Das Relais befördert Ton und Bild über {way}. Ein anderer Weg wurde nicht versucht, so verlangt es die Adresse dieser Seite.",
  "test.norelay": "Ton und Bild finden keinen Weg zum Server: UDP kommt nicht durch, und der Server hat kein Relais (TURN). Versuchen Sie ein anderes Netz; wer den Server betreibt, kann ein Relais einrichten.",
  "test.noway": "Ton und Bild finden keinen Weg zum Server, weder direkt noch über ein Relais.",
  "test.relay.astray": "Ton und Bild finden keinen Weg zum Server. Das Relais nimmt diesen Browser an, führt aber nicht weiter zum Server: Seine Liste erlaubter Ziele oder eine Firewall dahinter steht im Weg.",
  "test.relay.works": "Das Relais {relay} antwortet über {way}.",
  "test.relay.refused": "Das Relais {relay} weist den Schlüssel des Servers über {way} ab: Ihre Geheimnisse sind verschieden (ANTLITZ_TURN_SECRET, static-auth-secret), oder eine Uhr geht falsch.",
  "test.relay.full": "Das Relais {relay} hat über {way} keinen Platz mehr.",
  "test.relay.silent": "Das Relais {relay} ist über {way} nicht zu erreichen: Es ist aus, oder eine Firewall liegt dazwischen.",
  "test.noudp": "Dieses Netz lässt kein UDP zum Relais {relay} durch; die anderen Wege gehen.",
  "test.microphone": "Das Mikrofon funktioniert.",

  "mic.denied": "Der Browser durfte das Mikrofon nicht benutzen. Erlauben Sie es in der Adresszeile; bis dahin können Sie schreiben.",
  "mic.none": "Kein Mikrofon gefunden. Schließen Sie eines an, oder schreiben Sie.",
  "mic.busy": "Ein anderes Programm benutzt das Mikrofon. Schließen Sie es, oder schreiben Sie.",
  "mic.insecure": "Browser geben das Mikrofon nur sicheren Seiten. Öffnen Sie diese Seite mit https:// (oder auf localhost), oder schreiben Sie.",
  "mic.failed": "Das Mikrofon ließ sich nicht öffnen. Schreiben können Sie trotzdem.",
  "notice.nowebrtc": "Dieser Browser kann kein WebRTC, ohne das kein Gespräch geht. Ein aktueller Chrome, Edge, Firefox oder Safari kann es.",
};
