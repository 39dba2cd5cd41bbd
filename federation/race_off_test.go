//go:build !race

package federation

// generatedAddresses the matcher is held against the independent one with.
const generatedAddresses = 10_000_000
