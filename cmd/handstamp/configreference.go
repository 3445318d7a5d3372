package main

import (
	"cmp"
	"fmt"
	"reflect"
	"strings"

	"github.com/handstamp/handstamp/pkg/config"
)

const referenceHead = `# Configuration

<!-- Made by "handstamp config reference" from the program. Do not edit. -->

Every key of config.yaml. [config.yaml](../config.yaml) explains them in the
order in which one meets them, with examples; this page is for looking up.
"handstamp config print" shows what counts in your installation.

A key is set by a flag (` + "`--set cookies.lifetime=10m`" + `), else by its variable, else by
the file, else it has its default. ` + "`[]`" + ` stands for an item of a list. Lists of texts
are separated by commas in variables and flags; lists of objects are set in the
file only, and so are the keys below them, which have no variable. Durations have a
unit (` + "`90s`, `15m`, `24h`" + `), sizes too (` + "`10MiB`" + `). A secret is a reference: ` + "`file:PATH`" + `
or ` + "`env:NAME`" + `. Relative paths in the file begin at its folder, others at the
working directory. An unknown key is an error.

While "handstamp serve" runs:

| changes | are taken on |
| --- | --- |
| this configuration, settings of sources, catalogues, certificates, files of secrets, key files in ` + "`keys.dir`" + ` without a manifest | by themselves within some seconds, or at SIGHUP |
| ticket lists, the manifest of keys | by themselves, each as often as its page says, or at SIGHUP |
| where it listens (` + "`http.listen`, `admin.listen`, `metrics.listen`" + `), whether the administration has TLS, ` + "`log.format`, `traces.endpoint`" + `, variables, flags | at a restart |

What is wrong is refused as a whole, and so is a file with something that takes a
restart: the old configuration goes on, and the log and
` + "`handstamp_config_reloads_total`" + ` say so. "handstamp check" names all that is wrong.
`

// configReference returns the page with all keys.
func configReference(keys []config.Key, limits map[string]string) string {
	return referenceHead + keyTables(keys, limits)
}

// keyTables returns one table for each top-level key, in the order of keys.
func keyTables(keys []config.Key, limits map[string]string) string {
	var page strings.Builder
	section := ""
	for i, k := range keys {
		if s := sectionOf(k.Path); i == 0 || s != section {
			section = s
			fmt.Fprintf(&page, "\n## %s\n\n| key | type and range | default | variable | what it does |\n| --- | --- | --- | --- | --- |\n", section)
		}
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s | %s |\n", k.Path, cell(typeAndRange(k, limits[k.Path])), code(k.Default), code(k.Env), cell(k.Doc))
	}
	return page.String()
}

// sectionOf returns the top-level key that path is below.
func sectionOf(path string) string {
	name, _, _ := strings.Cut(path, ".")
	return strings.TrimSuffix(name, "[]")
}

func typeAndRange(k config.Key, limit string) string {
	if limit == "" {
		return k.Type
	}
	return k.Type + ", " + limit
}

// code returns s as code in a cell, and nothing as nothing.
func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + cell(s) + "`"
}

// cell returns s so that it does not end a cell.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// limitsOf returns what the struct tags of T say about the values of each key.
func limitsOf[T any]() map[string]string {
	limits := map[string]string{}
	addLimits(limits, reflect.TypeFor[T](), "")
	return limits
}

// addLimits notes the limits of the fields of t, whose paths begin with prefix.
func addLimits(limits map[string]string, t reflect.Type, prefix string) {
	for field := range t.Fields() {
		name := field.Tag.Get("mapstructure")
		if name == "" || name == "-" {
			continue
		}
		path, below := prefix+name, field.Type
		limits[path] = limitOf(field.Tag)
		if below.Kind() == reflect.Slice {
			path, below = path+"[]", below.Elem()
		}
		if below.Kind() == reflect.Struct {
			addLimits(limits, below, path+".")
		}
	}
}

// limitOf says what one field takes.
func limitOf(tag reflect.StructTag) string {
	var parts []string
	if tag.Get("required") == "true" {
		parts = append(parts, "required")
	}
	if enum := tag.Get("enum"); enum != "" {
		parts = append(parts, strings.ReplaceAll(enum, ",", ", "))
	}
	if lo, hi := tag.Get("min"), tag.Get("max"); lo != "" || hi != "" {
		parts = append(parts, fmt.Sprintf("%s to %s", cmp.Or(lo, "…"), cmp.Or(hi, "…")))
	}
	if tag.Get("path") == "true" {
		parts = append(parts, "a path")
	}
	return strings.Join(parts, "; ")
}
