// Package admin is the administration API: issuing, finding and revoking
// tickets, looking at admissions and their devices, reading the audit. It
// belongs on a listener of its own, see CheckListen, and is for programs and
// command lines, not for browsers. Its contract is openapi.yaml beside this
// file; a test holds both together.
//
// Everybody comes with a key, which has scopes and may be limited to
// attractions. What lies outside of them looks the same as what does not exist.
//
// A change and its event in the audit are written together by the book, or
// neither is. The code of a ticket is in the answer that issues it and nowhere
// else: not in lists, the audit, errors or the log.
package admin
