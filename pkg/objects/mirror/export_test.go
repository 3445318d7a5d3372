package mirror

// For tests of the tables.
var (
	CacheControl = cacheControl
	PartSize     = partSize
)
