// Package telemetry has the words in which a gateway speaks about itself: which
// metrics there are, and what numbers and spans are given to. It imports the
// standard library only, so that a function that nobody scrapes links nothing
// else. Package prom shows metrics to Prometheus, package otlp sends traces to
// an OpenTelemetry collector; the gateway is given what they make, or nothing.
//
// A number is either told as it happens, see Meter.Add and Meter.Observe, or kept
// by the part that it is about and read when somebody looks, see Meter.Attach.
//
// Labels are bounded: ids from the configuration, reasons, states, route
// templates. No code, session, address, path or id of a visitor is one.
package telemetry
