package config_test

import "testing"

// TestCheckTelemetry appends to a configuration of seven lines.
func TestCheckTelemetry(t *testing.T) {
	const lead = `sources: [{id: list, kind: roll, file: tickets.csv}]
attractions:
  - {id: castle, timezone: Europe/Madrid, sources: [list]}
`
	tests := []struct{ name, text, want string }{
		{"sound", "metrics: {listen: '127.0.0.1:9091'}\ntraces: {endpoint: 'http://collector:4318', percent: 100}\n", ""},
		{"port alone", "metrics: {listen: '9091'}\n", `config.yaml:4: metrics.listen: "9091" is not host:port, want one like 127.0.0.1:8080, or :8080 for every interface`},
		{"where the API is", "metrics: {listen: '127.0.0.1:8080'}\n", `config.yaml:4: metrics.listen: "127.0.0.1:8080" is taken by http.listen, want an address of its own`},
		{"collector without scheme", "traces: {endpoint: 'collector:4318'}\n", `config.yaml:4: traces.endpoint: "collector:4318" is not scheme://host:port, want one like http://127.0.0.1:8000`},
		{"more than all", "traces: {percent: 101}\n", `config.yaml:4: traces.percent: 101 is out of range, want 0 to 100`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load(lead + tt.text)
			if tt.want != "" {
				wantProblems(t, err, tt.want)
			} else if err != nil {
				t.Errorf("Parse() = %v, want nil", err)
			}
		})
	}
}
