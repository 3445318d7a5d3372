package telemetry_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/handstamp/handstamp/pkg/telemetry"
)

// The names follow https://prometheus.io/docs/practices/naming/.
func TestMetricNames(t *testing.T) {
	name, label := regexp.MustCompile(`^handstamp_[a-z]+(_[a-z]+)*$`), regexp.MustCompile(`^[a-z]+$`)
	seen := map[string]bool{}
	for _, m := range telemetry.Metrics() {
		if !name.MatchString(m.Name) || seen[m.Name] {
			t.Errorf("%q is no name, or that of two metrics", m.Name)
		}
		seen[m.Name] = true
		if got := strings.HasSuffix(m.Name, "_total"); got != (m.Kind == telemetry.Counter) {
			t.Errorf("%s is a %v, want _total at the end of counters and of nothing else", m.Name, m.Kind)
		}
		seconds := strings.HasSuffix(m.Name, "_seconds")
		if seconds && !strings.Contains(m.Help, "in seconds") || m.Kind == telemetry.Histogram && !seconds {
			t.Errorf("%s: %q, want the unit in name and help", m.Name, m.Help)
		}
		if !strings.HasSuffix(m.Help, ".") {
			t.Errorf("%s: help %q, want a sentence", m.Name, m.Help)
		}
		if (m.Kind == telemetry.Histogram) != (len(m.Buckets) > 0) || !slices.IsSorted(m.Buckets) {
			t.Errorf("%s: buckets %v of a %v", m.Name, m.Buckets, m.Kind)
		}
		for _, l := range m.Labels {
			if !label.MatchString(l) {
				t.Errorf("%s: label %q", m.Name, l)
			}
		}
	}
}

// Whoever watches nothing has nothing to look after.
func TestNothing(t *testing.T) {
	telemetry.None.Add(telemetry.Admissions, 1, "castle")
	telemetry.None.Observe(telemetry.SignSeconds, 1, "links", "made")
	telemetry.None.Attach(t, func(telemetry.Emit) { t.Error("a part is read") })()
	ctx, span := telemetry.Untraced.Start(t.Context(), "work")
	span.Describe("work")
	span.End(true)
	if ctx != t.Context() {
		t.Error("Untraced.Start changes the context")
	}
}
