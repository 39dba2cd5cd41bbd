package main

import (
	"strings"
	"time"

	"gatehouse/broker/admin"
)

// settingsOf is what the settings page shows of a configuration: where things
// listen, how long they last, whether mail goes out. No secret, and no path.
func settingsOf(cfg *config) []admin.Setting {
	onOff := func(on bool) string {
		if on {
			return "on"
		}
		return "off"
	}
	mail := "off"
	switch {
	case cfg.Mail.SMTP != "":
		mail = cfg.Mail.SMTP
	case cfg.Mail.Directory != "":
		mail = "written to a folder"
	}
	out := []admin.Setting{
		{Name: "listen", Value: cfg.Listen},
		{Name: "tls", Value: onOff(cfg.TLS.CertFile != "")},
		{Name: "public_hosts", Value: strings.Join(cfg.PublicHosts, " ")},
		{Name: "admin.listen", Value: cfg.Admin.Listen},
		{Name: "admin.tls", Value: onOff(cfg.Admin.TLS.CertFile != "")},
		{Name: "mail", Value: mail},
		{Name: "mail.from", Value: cfg.Mail.From},
		{Name: "network.allow_private", Value: strings.Join(cfg.Network.AllowPrivate, " ")},
		{Name: "log.level", Value: cfg.Log.Level},
	}
	for _, l := range []struct {
		name string
		d    time.Duration
	}{
		{"session_idle", cfg.Lifetimes.SessionIdle},
		{"session_absolute", cfg.Lifetimes.SessionAbsolute},
		{"console_idle", cfg.Lifetimes.ConsoleIdle},
		{"console_absolute", cfg.Lifetimes.ConsoleAbsolute},
		{"access_token", cfg.Lifetimes.AccessToken},
		{"refresh_idle", cfg.Lifetimes.RefreshIdle},
		{"refresh_absolute", cfg.Lifetimes.RefreshAbsolute},
		{"code", cfg.Lifetimes.Code},
	} {
		out = append(out, admin.Setting{Name: "lifetimes." + l.name, Value: l.d.String()})
	}
	return out
}
