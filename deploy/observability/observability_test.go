package observability_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/handstamp/handstamp/pkg/telemetry"
)

// A query is an expression of PromQL, with the texts that use its labels.
type query struct{ where, expr, text string }

// A ruleFile is alerts.yaml, see
// https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/.
type ruleFile struct {
	Groups []struct {
		Name  string `yaml:"name"`
		Rules []struct {
			Alert       string            `yaml:"alert"`
			Expr        string            `yaml:"expr"`
			For         string            `yaml:"for"`
			Labels      map[string]string `yaml:"labels"`
			Annotations map[string]string `yaml:"annotations"`
		} `yaml:"rules"`
	} `yaml:"groups"`
}

func readRules(t *testing.T) (rules ruleFile) {
	t.Helper()
	file, err := os.Open("alerts.yaml")
	must(t, err)
	defer file.Close()
	dec := yaml.NewDecoder(file)
	dec.KnownFields(true)
	must(t, dec.Decode(&rules))
	return rules
}

func alertQueries(t *testing.T) (all []query) {
	for _, group := range readRules(t).Groups {
		for _, r := range group.Rules {
			all = append(all, query{"alert " + r.Alert, r.Expr, r.Annotations["summary"] + r.Annotations["description"]})
		}
	}
	return all
}

// A dashboard is what we look at of dashboard.json.
type dashboard struct {
	Title  string
	Panels []struct {
		Title, Type, Description string
		GridPos                  struct{ X, Y, W, H int }
		Targets                  []struct{ Expr, LegendFormat string }
	}
	Annotations struct {
		List []struct{ Name, Expr, TextFormat string }
	}
}

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	text, err := os.ReadFile("dashboard.json")
	must(t, err)
	must(t, json.Unmarshal(text, &d))
	return d
}

func dashboardQueries(t *testing.T) (all []query) {
	d := readDashboard(t)
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			expr := strings.NewReplacer("$__rate_interval", "5m", "$instance", ".*").Replace(target.Expr)
			all = append(all, query{"panel " + p.Title, expr, target.LegendFormat})
		}
	}
	for _, a := range d.Annotations.List {
		all = append(all, query{"annotation " + a.Name, a.Expr, a.TextFormat})
	}
	return all
}

var (
	quoted    = regexp.MustCompile(`"[^"]*"`)
	metric    = regexp.MustCompile(`\b(?:handstamp|go|process)_[a-z_]+\b|\bup\b`)
	selector  = regexp.MustCompile(`([a-z_]+)\{([^}]*)\}`)
	matcher   = regexp.MustCompile(`([a-z]+)\s*(=~|!~|!=|=)\s*"([^"]*)"`)
	clause    = regexp.MustCompile(`\b(by|on|without|ignoring)\s*\(([^)]*)\)`)
	usedLabel = regexp.MustCompile(`\$labels\.([a-z]+)|\{\{([a-z]+)\}\}`)
)

// ofScrape are the labels that Prometheus itself adds.
var ofScrape = []string{"instance", "job"}

// fault returns what is wrong with a query, or nothing.
func (q query) fault(shown map[string]*family) (faults []string) {
	known := slices.Clone(ofScrape)
	for _, series := range metric.FindAllString(quoted.ReplaceAllString(q.expr, `""`), -1) {
		if series == "up" { // Prometheus makes it
			continue
		}
		f := shown[base(series, shown)]
		if f == nil {
			faults = append(faults, "no metric "+series)
			continue
		}
		known = append(known, slices.Collect(maps.Keys(f.values))...)
	}
	for _, s := range selector.FindAllStringSubmatch(q.expr, -1) {
		faults = append(faults, matchersFault(s[1], s[2], shown)...)
	}
	var by []string
	for _, c := range clause.FindAllStringSubmatch(q.expr, -1) {
		for label := range strings.SplitSeq(c[2], ",") {
			if label = strings.TrimSpace(label); !slices.Contains(known, label) {
				faults = append(faults, c[1]+" has no label "+label)
			}
			if c[1] == "by" {
				by = append(by, label)
			}
		}
	}
	if len(by) > 0 {
		known = by
	}
	for _, m := range usedLabel.FindAllStringSubmatch(q.text, -1) {
		if label := m[1] + m[2]; !slices.Contains(known, label) {
			faults = append(faults, "its text uses the label "+label+", which is not there")
		}
	}
	if strings.Count(q.expr, "(") != strings.Count(q.expr, ")") {
		faults = append(faults, "its brackets do not match")
	}
	return faults
}

// matchersFault looks at what stands in the braces of a selector: labels that the
// metric has, and values that it shows or that are named in its help.
func matchersFault(series, text string, shown map[string]*family) (faults []string) {
	name := base(series, shown)
	f := shown[name]
	if f == nil {
		return nil // said before, or Prometheus' own
	}
	for _, m := range matcher.FindAllStringSubmatch(text, -1) {
		label, values := m[1], m[3]
		if slices.Contains(ofScrape, label) {
			continue
		}
		if f.values[label] == nil {
			faults = append(faults, series+" has no label "+label)
			continue
		}
		for value := range strings.SplitSeq(values, "|") {
			if !f.values[label][value] && !named(name, value) {
				faults = append(faults, series+" never has "+label+"="+value)
			}
		}
	}
	return faults
}

// named reports whether a value of a label is one that is told of: behind the
// colon in the help of the metric or, for causes, in the documentation.
func named(name, value string) bool {
	word := regexp.MustCompile(`\b` + regexp.QuoteMeta(value) + `\b`)
	for _, m := range telemetry.Metrics() {
		if _, values, ok := strings.Cut(m.Help, ": "); ok && m.Name == name && word.MatchString(values) {
			return true
		}
	}
	text, _ := os.ReadFile("../../docs/metrics.md")
	return strings.Contains(string(text), "| `"+value+"` |") || value == "4xx" || value == "5xx" || value == "aborted"
}

// TestQueries holds every query to a gateway that runs.
func TestQueries(t *testing.T) {
	g := newGateway(t)
	g.visit()
	shown := g.shown()
	queries := append(alertQueries(t), dashboardQueries(t)...)
	if len(queries) < 80 {
		t.Errorf("%d queries, want those of dashboard and alerts", len(queries))
	}
	for _, q := range queries {
		for _, fault := range q.fault(shown) {
			t.Errorf("%s: %s\n\t%s", q.where, fault, q.expr)
		}
	}
}

// A query with a mistake is found, or TestQueries would say nothing.
func TestQueriesCanFail(t *testing.T) {
	shown := map[string]*family{
		"handstamp_admissions_total":            {kind: "counter", values: map[string]map[string]bool{"attraction": {"castle": true}}},
		"handstamp_book_duration_seconds":       {kind: "histogram", values: map[string]map[string]bool{"operation": {"enter": true}, "outcome": {"ok": true}, "le": {"1": true}}},
		"handstamp_config_reloads_total":        {kind: "counter", values: map[string]map[string]bool{"outcome": {"ok": true}}},
		"handstamp_source_duration_seconds_sum": nil,
	}
	for expr, want := range map[string]string{
		`rate(handstamp_admissions_total[5m])`:                                 "",
		`sum by (attraction) (rate(handstamp_admissions_total[5m]))`:           "",
		`rate(handstamp_book_duration_seconds_count{outcome="read_only"}[5m])`: "",
		`rate(handstamp_admission_total[5m])`:                                  "no metric handstamp_admission_total",
		`sum by (place) (rate(handstamp_admissions_total[5m]))`:                "by has no label place",
		`rate(handstamp_admissions_total{place="castle"}[5m])`:                 "handstamp_admissions_total has no label place",
		`rate(handstamp_config_reloads_total{outcome="refused"}[5m])`:          "handstamp_config_reloads_total never has outcome=refused",
		`rate(handstamp_admissions_total[5m]`:                                  "its brackets do not match",
	} {
		if got := strings.Join(query{expr: expr}.fault(shown), "; "); got != want {
			t.Errorf("fault of %s = %q, want %q", expr, got, want)
		}
	}
	q := query{expr: `sum by (attraction) (handstamp_admissions_total)`, text: "{{ $labels.instance }}"}
	if len(q.fault(shown)) != 1 {
		t.Errorf("a label that is summed away = %q, want one fault", q.fault(shown))
	}
}

// Every metric of ours is shown by a gateway that runs, documented with its kind
// and labels, and on the dashboard; nothing else is.
func TestEveryMetricIsDocumented(t *testing.T) {
	g := newGateway(t)
	g.visit()
	shown := g.shown()
	text, err := os.ReadFile("../../docs/metrics.md")
	must(t, err)
	documented := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| ([a-z]+ \\| [^|]*) \\| (.*) \\|$").FindAllStringSubmatch(string(text), -1) {
		documented[m[1]] = m[2] + " | " + m[3]
	}
	var queried strings.Builder
	for _, q := range dashboardQueries(t) {
		queried.WriteString(q.expr + "\n")
	}
	for _, m := range telemetry.Metrics() {
		f := shown[m.Name]
		if f == nil || f.kind != m.Kind.String() {
			t.Errorf("%s is not shown as a %v after the scripted visit", m.Name, m.Kind)
		}
		labels := ""
		if len(m.Labels) > 0 {
			labels = "`" + strings.Join(m.Labels, "`, `") + "`"
		}
		if got, want := documented[m.Name], m.Kind.String()+" | "+labels+" | "+m.Help; got != want {
			t.Errorf("docs/metrics.md says of %s\n\t%s\nwant\n\t%s", m.Name, got, want)
		}
		if !strings.Contains(queried.String(), m.Name) {
			t.Errorf("%s is on no panel of the dashboard", m.Name)
		}
		delete(documented, m.Name)
	}
	for name := range shown {
		if !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") && !slices.ContainsFunc(telemetry.Metrics(), func(m *telemetry.Metric) bool { return m.Name == name }) {
			t.Errorf("%s is shown and in no list", name)
		}
	}
	for name := range documented {
		if strings.HasPrefix(name, "handstamp_") {
			t.Errorf("docs/metrics.md has %s, which there is not", name)
		}
	}
}

// Every alert says how bad it is, what happened and what to do, on a page with a
// heading that is there.
func TestAlerts(t *testing.T) {
	const home = "https://github.com/handstamp/handstamp/blob/main/"
	seen := map[string]bool{}
	for _, group := range readRules(t).Groups {
		for _, r := range group.Rules {
			if !regexp.MustCompile(`^Handstamp[A-Z][A-Za-z]+$`).MatchString(r.Alert) || seen[r.Alert] {
				t.Errorf("alert %q: want a name of its own like HandstampDown", r.Alert)
			}
			seen[r.Alert] = true
			if _, err := time.ParseDuration(r.For); r.For != "" && err != nil {
				t.Errorf("%s: for: %v", r.Alert, err)
			}
			if s := r.Labels["severity"]; s != "page" && s != "ticket" {
				t.Errorf("%s: severity %q, want page or ticket", r.Alert, s)
			}
			for _, name := range []string{"summary", "description", "runbook_url"} {
				if r.Annotations[name] == "" {
					t.Errorf("%s has no %s", r.Alert, name)
				}
			}
			page, ok := strings.CutPrefix(r.Annotations["runbook_url"], home)
			if file, heading, _ := strings.Cut(page, "#"); !ok || !hasHeading(t, file, heading) {
				t.Errorf("%s: %s leads nowhere", r.Alert, r.Annotations["runbook_url"])
			}
		}
	}
}

// hasHeading reports whether a page of the documentation has a heading, as GitHub
// names it; the empty one is the page.
func hasHeading(t *testing.T, file, heading string) bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../..", file))
	if err != nil {
		return false
	}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(string(text), -1) {
		anchor := regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(m[1]), "")
		if strings.ReplaceAll(anchor, " ", "-") == heading {
			return true
		}
	}
	return heading == ""
}

// The dashboard has its rows, panels that say what they show, and none on top of
// another.
func TestDashboard(t *testing.T) {
	d := readDashboard(t)
	var rows []string
	taken := map[[2]int]string{}
	for _, p := range d.Panels {
		if p.Type == "row" {
			rows = append(rows, p.Title)
		} else if p.Description == "" && p.Title != "Goroutines" {
			t.Errorf("panel %q does not say what it shows", p.Title)
		}
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if other, ok := taken[at]; ok || at[0] >= 24 {
					t.Fatalf("panel %q is on top of %q, or outside", p.Title, other)
				}
				taken[at] = p.Title
			}
		}
	}
	want := []string{"The door", "Sources", "Signing and keys", "Book", "Throttle, revocations, administration", "Edge", "Process"}
	if !slices.Equal(rows, want) {
		t.Errorf("rows %q, want %q", rows, want)
	}
}
