package main

import (
	"io"
	"log/slog"

	"github.com/handstamp/handstamp/pkg/app"
	"github.com/handstamp/handstamp/pkg/config"
)

// newServeLog is newLog for a gateway, which goes on whether or not somebody reads
// its log. Closing the sink writes what is left.
func newServeLog(c config.Log, level *slog.LevelVar, w io.Writer) (log *slog.Logger, sink *app.Sink) {
	sink = app.NewSink(w, 0, func(dropped int64) { log.Warn("log lines dropped", "count", dropped) })
	log = newLog(c, level, sink)
	return log, sink
}
