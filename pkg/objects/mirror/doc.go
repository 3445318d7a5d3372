// Package mirror puts a folder of media into an S3 bucket, as what viewers ask
// for below a prefix:
//
//	root, err := os.OpenRoot("media")
//	to, err := mirror.ParseTarget("s3://castle-media/castle")
//	m := mirror.New(client, root, to, mirror.Options{})
//	plan, err := m.Plan(ctx)
//	report, err := m.Do(ctx, plan)
//
// A file is in the bucket already if size and SHA-256 are the same; its time
// counts for nothing. So a run that was interrupted is gone on with by running
// again. The bucket checks the SHA-256 of everything that is sent, and its
// answer is compared with what was meant.
//
// Larger files go in parts. A file of which some parts arrived goes on with the
// others: the bucket says which parts it has, with their checksums, and a part
// counts as sent only if it is byte for byte that of the file. Nothing about it
// is written down on this side.
//
// What lists other files goes after them: first the media, then playlists, then
// catalogues, and what is to be deleted last. A list is held back while a file
// beside or below it could not be sent.
//
// It follows the Amazon S3 User Guide, "Checking object integrity" and
// "Uploading and copying objects using multipart upload".
package mirror
