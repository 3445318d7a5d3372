package main

import (
	"cmp"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"runtime/debug"
	"strings"
	"time"
)

// A bill is a CycloneDX 1.6 document, as far as it is needed here.
type bill struct {
	Schema       string       `json:"$schema"`
	BOMFormat    string       `json:"bomFormat"`
	SpecVersion  string       `json:"specVersion"`
	SerialNumber string       `json:"serialNumber"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Timestamp string    `json:"timestamp"`
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	PURL       string     `json:"purl"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn"`
}

// writeBill writes what program is made of, as its own build information says:
// the modules that are linked in, and Go's library.
func writeBill(w io.Writer, program string) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	at, err := epoch()
	if err != nil {
		return err
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(newBill(info, path.Base(program), sha256.Sum256(text), at))
}

func newBill(info *debug.BuildInfo, name string, sum [sha256.Size]byte, at time.Time) bill {
	version := cmp.Or(releaseOf(info), info.Main.Version)
	main := module(info.Main.Path, version)
	main.Type, main.Name = "application", name
	main.Hashes = []hash{{"SHA-256", hex.EncodeToString(sum[:])}}
	for _, s := range info.Settings {
		main.Properties = append(main.Properties, property{"go:build:" + s.Key, s.Value})
	}
	b := bill{
		Schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", BOMFormat: "CycloneDX", SpecVersion: "1.6",
		SerialNumber: serial(sum), Version: 1,
		Metadata:   metadata{at.Format(time.RFC3339), main},
		Components: []component{module("std", info.GoVersion)},
	}
	for _, d := range info.Deps {
		b.Components = append(b.Components, dep(d))
	}
	on := []string{}
	for _, c := range b.Components {
		on = append(on, c.Ref)
	}
	b.Dependencies = []dependency{{main.Ref, on}}
	return b
}

// releaseOf returns the version that the linker was given.
func releaseOf(info *debug.BuildInfo) string {
	for _, s := range info.Settings {
		if _, after, ok := strings.Cut(s.Value, "-X main.release="); s.Key == "-ldflags" && ok {
			version, _, _ := strings.Cut(after, " ")
			return version
		}
	}
	return ""
}

// dep returns a module that is linked in: what replaces it, if something does.
// Go's checksum of a module covers its files, not an archive, so it is no hash
// in the sense of CycloneDX.
func dep(d *debug.Module) component {
	if d.Replace != nil {
		c := module(d.Replace.Path, d.Replace.Version)
		c.Properties = []property{{"go:replaces", d.Path + "@" + d.Version}, {"go:sum", d.Replace.Sum}}
		return c
	}
	c := module(d.Path, d.Version)
	c.Properties = []property{{"go:sum", d.Sum}}
	return c
}

func module(name, version string) component {
	purl := fmt.Sprintf("pkg:golang/%s@%s", strings.ToLower(name), strings.ReplaceAll(version, "+", "%2B"))
	return component{Type: "library", Ref: purl, Name: name, Version: version, PURL: purl}
}

// serial is a UUID that follows from the program (version 8 of RFC 9562).
func serial(sum [sha256.Size]byte) string {
	sum[6] = sum[6]&0x0f | 0x80
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}
