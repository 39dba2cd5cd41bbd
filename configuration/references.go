package configuration

import (
	"slices"
	"strings"
)

// References are the places that a document's secrets are to be read from, each
// once: "env:NAME" and "file:PATH".
func (d Document) References() (out []string) {
	add := func(s *Secret) {
		if s != nil && (strings.HasPrefix(s.From, "env:") || strings.HasPrefix(s.From, "file:")) && !slices.Contains(out, s.From) {
			out = append(out, s.From)
		}
	}
	for i := range d.Connections {
		add(d.Connections[i].ClientSecret)
		add(d.Connections[i].PrivateKey)
	}
	for i := range d.Clients {
		add(d.Clients[i].ClientSecret)
	}
	for i := range d.Webhooks {
		add(d.Webhooks[i].Secret)
	}
	return out
}
