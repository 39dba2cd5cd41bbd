//go:build race

package federation

// generatedAddresses under the race detector, which makes each some twenty times slower.
const generatedAddresses = 200_000
