// Package config turns config.yaml into one checked struct. It is the only
// importer of viper in the project.
//
// A key gets its value from the first of these that sets it:
//
//  1. a flag, given as Options.Overrides under the key's dotted name
//  2. an environment variable: HANDSTAMP_ and the key in upper case with "_"
//     for ".", so HANDSTAMP_COOKIES_LIFETIME sets cookies.lifetime even when
//     the file does not mention it
//  3. the file
//  4. the default, which the struct tag of the field names
//
// An empty variable is an error, because it mostly means that whoever should
// have filled it did not; unset it to keep the value of the file. A variable
// that begins with HANDSTAMP_ and is not a key is an error too, unless a secret
// reference (env:NAME) names it, Options.OtherEnv lists it, or Kubernetes set
// it for a service of that name. Lists of texts are separated by commas there;
// lists of objects (sources, attractions, admin.keys) are set in the file only.
//
// Loading is strict. The file has at most 1 MiB and a list 1,000 items. A key
// that is unknown, written twice in any case, empty or of the wrong type is
// refused, and so are a second document, anchors, aliases, merge keys and tags:
// viper alone would let most of these through. Then the values are checked
// together. Load reports everything that it found at once as an *Error, each
// problem with its line:
//
//	config.yaml:12: cookies.lifetime: "15" has no unit, want a duration with its unit, like 15m
//
// A relative path in the file is relative to the folder of the file; one in a
// variable or flag is relative to the working directory. Load opens no file
// that the configuration names except those of secrets: an unresolvable secret
// is fatal.
//
// Load keeps no state and never changes a Config that it returned: to reload,
// call it again and keep the old Config when it fails.
package config
