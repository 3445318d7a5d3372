// Package dynamodb is the admission book of many instances: one DynamoDB table
// that keeps every promise of gate.Book however many processes share it. It
// also keeps what the administration needs: tickets that were issued or
// imported here, listings for staff, the audit, the index of private files, and
// the counters of a throttle.
//
//	client := dynamodb.NewFromConfig(cfg) // of the AWS SDK
//	book, err := dynamodb.Open(ctx, client, dynamodb.Options{Table: "handstamp"})
//
// Create makes the table: on-demand, with time to live on "expires_at" and
// point-in-time recovery.
//
// # Items
//
// Everything about one ticket that can change is one item: its first use,
// whether it is revoked, its visit with the devices that have a seat. Whoever
// changes the ticket reads that item, decides, and writes it with all that goes
// with it in one transaction, on condition that its revision is still the one
// that was read. So all that happens to a ticket happens in one order, at
// however many instances, and the seats are as many as were sold. Nothing is
// kept by attraction that every visitor writes to.
//
//	pk               sk            what
//	T#<ticket>       ticket        the ticket with its visit; never expires
//	T#<ticket>       request#<key> a request that may come again
//	T#<ticket>       record        the ticket as it was issued or imported
//	T#<ticket>       batch         its place in the list of its batch
//	T#<ticket>       place#<id>    its place in the list of an attraction it buys
//	S#<session>      session       whose a session is, or was until when
//	A#<admission>    admission     whose an admission is, and all of it once another followed
//	A#<admission>    place#<id>    its place in the list of an attraction it opened
//	D#<device>       device        whose a device is, and how it lost its seat
//	I#<record>       id            which ticket has the id of a record
//	X#<name>         import        how far an import is, or a long issue
//	E#<n>#<id>       closings      how often an attraction was revoked; 16 copies
//	V                <time>        what was revoked of late
//	L                head          the end of the audit
//	L#<page>         <number>      an event of the audit
//	C#<axis>...      counter       a counter of a throttle
//	F#<key>          file          a private file; never expires
//	O#<owner>        <key>         its place in the list of its owner
//	P#<area>#<owner> <key>         its place in the list of its owner in its area
//	R#<area>#<n>     <key>         its place in the list of its area; 16 partitions
//
// Tickets and sessions stand there as hashes, in base64url. The document is
// JSON, in "doc". The index "lists" has "lpk", a list and one of 16 shards, and
// "lsk", the place in it; it is eventually consistent, and only lists and the
// count of what an attraction's revocation ended are read from it. A file is in
// it until it is confirmed, by the end of its upload. The other lists of files
// are items of their own, so that they are read consistently: they are written
// with the file and deleted with it, the only items that ever are.
//
// # Requests
//
// What a call costs once its attraction is known, when nobody else is at the
// same ticket, in items that are read by their keys and items that are written.
// All reads are strongly consistent, one read unit for each item of up to 4
// KiB, and all writes are in one transaction, two write units for each KiB of
// an item. A ticket's item grows by some 250 bytes a device; the others stay
// below 1 KiB.
//
//	call               requests  reads  writes
//	Find               2         3      0
//	Enter, new visit   2         2      5, two of them in the index
//	Enter, joining     2         2      3, one of them in the index
//	Renew              3         3      3
//	Renew, other tab   2         3      0
//	Leave              3         3      2, one of them in the index
//	Revoke a ticket    4         3      2, and its record
//	Issue              2         2      4, three of them in the index
//	Lookup             1         1      0
//	AddFile            2         1      4, one of them in the index
//	ConfirmFile        2         1      1, one of them in the index
//	RemoveFile         2         1      4
//	Files, 1,000       10        1,000  0
//	FilesOf, 100       2         100    0
//
// A request that has an idempotency key reads and writes one more item, and
// every further attraction costs a read more. An import is about one
// transaction for each two dozen records, eight at a time. An event takes two
// items more. Revoking an attraction reads 16 items and writes 17, and then
// reads all visits that ever opened it, a hundred at a time, to count. Lists,
// but those of an owner's files, are read from 16 partitions at once. Of many
// files, four times a hundred are asked for at once.
//
// # Revoking an attraction
//
// It is one more closing in the items E#: a visit notes how often each of its
// attractions had been closed when the ticket was shown, and whoever reads the
// visit compares. Nothing is searched, and it holds at once. As every request
// for an attraction reads that number, it stands in 16 items that are written
// together and of which each request reads one, consistently; one item takes
// 3,000 such reads a second.
//
// # Time
//
// Time to live only collects garbage, days late: every reader checks the time
// itself, and an expired item may be written over. Items expire after what they
// are about has ended, by the clock of the instance that wrote them.
//
// # Trouble
//
// The SDK's own attempts are switched off. A request that is throttled, meets
// another transaction, is not answered or fails at the server is made again
// after a random wait that grows, within Options.Budget. A transaction carries
// a token and leaves it in its items, so that one whose answer was lost is
// recognised and not made twice. When the budget is spent the error is no
// denial; it is gate.ErrReadOnly if every attempt was refused, and then nothing
// was written.
//
// What is not promised: that lists show what is new at once, or that two
// instances whose clocks differ list in the order in which things came. A visit
// has at most some hundreds of devices: all of them are in one item of at most
// 400 KiB.
//
// See "Best practices for designing and architecting with DynamoDB", "DynamoDB
// transactions" and "Using time to live" in the Amazon DynamoDB Developer Guide.
package dynamodb
