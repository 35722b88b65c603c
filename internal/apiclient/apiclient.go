// Package apiclient is the HTTP client of all collectors: it authenticates, keeps within budgets, honours Retry-After,
// follows pages on the configured host only, classifies failures as record.Error, and never lets a credential reach a log, an error or another host.
package apiclient
