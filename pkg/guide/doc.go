// Package guide holds what a visitor sees: the web app, the browser client that
// app teams may use alone, and two sample attractions with real sound.
//
// All of it is embedded. [Handler] serves the app; [Sample] is the media of the
// samples, laid out as an origin would have them; [LoadCatalogue] reads the
// guide.yaml that lies beside an attraction's files and says what there is.
//
// The browser client is app/client.js, an ES module without dependencies. It
// speaks the gateway's HTTP API (see openapi.yaml) on its own origin: it trades
// a ticket for cookies, renews them before they expire, once across tabs, and
// brings back a media element that failed because its cookies ran out.
package guide
