// Package prom keeps the metrics of a gateway and shows them to Prometheus
// (https://prometheus.io/docs/instrumenting/exposition_formats/).
//
//	metrics := prom.New(version, log)
//	gateway, err := app.NewLive(ctx, load, app.LiveOptions{App: app.Options{Meter: metrics}})
//	http.Serve(listener, metrics) // on a listener of its own
package prom
