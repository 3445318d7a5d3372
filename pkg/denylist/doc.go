// Package denylist tells CloudFront what was revoked. A signed cookie cannot be
// recalled: it opens files until it ends. An [Exporter] writes what the book
// has revoked lately into a CloudFront KeyValueStore, where the function in
// deploy/denylist looks before it lets a viewer request pass, and takes it out
// again when no cookie from before can be alive. docs/revocation.md says what
// that stops and what it does not.
//
//	store, err := denylist.NewKeyValueStore(cloudfrontkeyvaluestore.NewFromConfig(cfg), arn)
//	...
//	exporter := denylist.NewExporter(book, rules, store, denylist.Options{Exposure: keeper.Exposure()})
//	go exporter.Run(ctx)
//
// The list is a supplement, never in the way: an exporter that fails tries
// again and counts that it failed, and visitors are admitted as before. It is
// derived from the book alone, so any number of gateways that share a book can
// run one, after any restart. Two books need two stores, or each shuts the other's
// attractions of the same prefix.
package denylist
