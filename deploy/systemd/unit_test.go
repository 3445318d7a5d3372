// Package systemd_test holds the units to what they promise. There is nothing
// to import. test/anywhere.sh has systemd itself look at them.
package systemd_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A unit is its settings by "Section.Name", each in the order of its lines.
type unit map[string][]string

func parse(text string) unit {
	u, section := unit{}, ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			section = strings.Trim(line, "[]")
		default:
			name, value, _ := strings.Cut(line, "=")
			u[section+"."+name] = append(u[section+"."+name], value)
		}
	}
	return u
}

// confined are the settings that every service has, whatever it does.
var confined = []string{
	"CapabilityBoundingSet=", "AmbientCapabilities=", "NoNewPrivileges=yes", "LimitCORE=0", "LockPersonality=yes",
	"MemoryDenyWriteExecute=yes", "PrivateDevices=yes", "PrivateTmp=yes", "PrivateUsers=yes", "ProtectClock=yes",
	"ProtectControlGroups=yes", "ProtectHome=yes", "ProtectHostname=yes", "ProtectKernelLogs=yes", "ProtectKernelModules=yes",
	"ProtectKernelTunables=yes", "ProtectProc=invisible", "ProtectSystem=strict", "RemoveIPC=yes", "RestrictNamespaces=yes",
	"RestrictRealtime=yes", "RestrictSUIDSGID=yes", "SystemCallArchitectures=native", "SystemCallFilter=@system-service",
	"SystemCallFilter=~@privileged", "UMask=0077",
}

// faults says what is wrong with the service of that name.
func (u unit) faults(name string) []string {
	var faults []string
	for _, setting := range confined {
		name, value, _ := strings.Cut(setting, "=")
		if !slices.Contains(u["Service."+name], value) {
			faults = append(faults, fmt.Sprintf("%s is %q, want %q", name, u["Service."+name], value))
		}
	}
	if user := u["Service.User"]; !slices.Equal(u["Service.DynamicUser"], []string{"yes"}) && !slices.Equal(user, []string{"handstamp"}) {
		faults = append(faults, fmt.Sprintf("it runs as %q", user))
	}
	for _, variable := range u["Service.Environment"] {
		if !strings.Contains(variable, "=file:/run/credentials/"+name+"/") {
			faults = append(faults, fmt.Sprintf("Environment=%s, want references to its credentials only", variable))
		}
	}
	for setting, values := range u {
		for _, value := range values {
			if strings.Contains(strings.ReplaceAll(value, "%%", ""), "%") {
				faults = append(faults, fmt.Sprintf("%s=%s: a specifier, which an older systemd may not know", setting, value))
			}
		}
	}
	// /etc/handstamp has secrets, and is for root and the group
	if len(u["Service.DynamicUser"]) > 0 && (len(u["Service.SupplementaryGroups"]) > 0 || strings.Contains(strings.Join(u["Service.ExecStart"], " "), "/etc/handstamp/")) {
		faults = append(faults, "it reads what is the gateway's")
	}
	return faults
}

// keeps says what is wrong with a service that goes on running.
func (u unit) keeps() []string {
	var faults []string
	for name, want := range map[string]string{"Restart": "on-failure", "RestartPreventExitStatus": "78", "TimeoutStopSec": "40s"} {
		if got := u["Service."+name]; !slices.Equal(got, []string{want}) {
			faults = append(faults, fmt.Sprintf("%s is %q, want %q", name, got, want))
		}
	}
	return faults
}

func TestUnits(t *testing.T) {
	files, err := filepath.Glob("*.service")
	if err != nil || len(files) != 4 {
		t.Fatalf("Glob = %q, %v, want the four services", files, err)
	}
	for _, file := range files {
		u := parse(read(t, file))
		faults := u.faults(file)
		if u["Service.Type"][0] == "exec" {
			faults = append(faults, u.keeps()...)
		}
		if len(faults) > 0 {
			t.Errorf("%s: %s", file, strings.Join(faults, "\n"))
		}
	}
}

// TestGateway: what only the gateway has.
func TestGateway(t *testing.T) {
	u := parse(read(t, "handstamp.service"))
	for name, want := range map[string]string{
		"Service.ExecReload": "/bin/kill -HUP $MAINPID", "Service.StateDirectory": "handstamp", "Service.StateDirectoryMode": "0700",
		"Service.LoadCredential": "pepper:/etc/handstamp/pepper", "Service.Environment": "HANDSTAMP_BOOK_PEPPER=file:/run/credentials/handstamp.service/pepper",
	} {
		if got := u[name]; !slices.Equal(got, []string{want}) {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
}

// TestFaults: what must not get past the checks.
func TestFaults(t *testing.T) {
	text := read(t, "handstamp.service")
	for _, tt := range []struct{ old, new string }{
		{"User=handstamp", "User=root"},
		{"User=handstamp\n", ""},
		{"LimitCORE=0", "LimitCORE=infinity"},
		{"NoNewPrivileges=yes\n", ""},
		{"CapabilityBoundingSet=", "CapabilityBoundingSet=CAP_SYS_ADMIN"},
		{"ProtectSystem=strict", "ProtectSystem=full"},
		{"SystemCallFilter=~@privileged\n", ""},
		{"file:/run/credentials/handstamp.service/pepper", "hunter2"},
		{"file:/run/credentials/handstamp.service/pepper", "file:/run/credentials/handstamp-once.service/pepper"},
		{"file:/run/credentials/handstamp.service/pepper", "file:%d/pepper"},
		{"User=handstamp\n", "DynamicUser=yes\n"},
		{"RestartPreventExitStatus=78\n", ""},
		{"TimeoutStopSec=40s", "TimeoutStopSec=10s"},
	} {
		broken := strings.ReplaceAll(text, tt.old, tt.new)
		u := parse(broken)
		if broken == text || len(u.faults("handstamp.service"))+len(u.keeps()) == 0 {
			t.Errorf("a unit with %q in the place of %q has no fault, want one", tt.new, tt.old)
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
