package templates

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
)

var hexColour = regexp.MustCompile(`^#[0-9a-f]{6}$`)

// colour is sRGB, each part from 0 to 1.
type colour [3]float64

func parseColour(s string) (colour, bool) {
	var c colour
	if !hexColour.MatchString(s) {
		return c, false
	}
	for i := range c {
		n, _ := strconv.ParseUint(s[1+2*i:3+2*i], 16, 8) // two hex digits
		c[i] = float64(n) / 255
	}
	return c, true
}

func (c colour) String() string {
	part := func(v float64) int { return int(math.Round(min(max(v, 0), 1) * 255)) }
	return fmt.Sprintf("#%02x%02x%02x", part(c[0]), part(c[1]), part(c[2]))
}

// luminance is the relative luminance of WCAG 2.2.
func (c colour) luminance() float64 {
	linear := func(v float64) float64 {
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c[0]) + 0.7152*linear(c[1]) + 0.0722*linear(c[2])
}

// contrast is the ratio of WCAG 2.2, from 1 to 21.
func contrast(a, b colour) float64 {
	x, y := a.luminance(), b.luminance()
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// mix is a with a part of b, from 0 to 1.
func mix(a, b colour, part float64) colour {
	var out colour
	for i := range out {
		out[i] = a[i]*(1-part) + b[i]*part
	}
	return out
}

// What stands behind text in the accent's colour (app.css: --card, --paper), by
// day and by night.
func day() [2]colour   { return [2]colour{rgb("#fffefb"), rgb("#f4f2ed")} }
func night() [2]colour { return [2]colour{rgb("#1c1f1d"), rgb("#121413")} }

func rgb(s string) colour {
	c, _ := parseColour(s)
	return c
}

// leastContrast of text (WCAG 2.2, 1.4.3), with a margin for rounding.
const leastContrast = 4.52

// tints are the backgrounds of what an accent marks.
func tint(c colour, ground [2]colour) colour { return mix(ground[0], c, 0.1) }

// legible reports whether text in c can be read on the grounds and on its tint.
func legible(c colour, ground [2]colour) bool {
	return contrast(c, ground[0]) >= leastContrast && contrast(c, ground[1]) >= leastContrast && contrast(c, tint(c, ground)) >= leastContrast
}

// towards mixes c with as little of another colour as makes it legible.
func towards(c, other colour, ground [2]colour) colour {
	for part := range 101 {
		if m := rgb(mix(c, other, float64(part)/100).String()); legible(m, ground) {
			return m
		}
	}
	return other
}

// CheckAccent says what keeps a colour from being an accent: it is not written
// as #rrggbb in small letters, or links and buttons in it could not be read on
// our pages (contrast below 4.5:1). nearest is then the closest one that can, or
// "" when there is none. By night a lighter shade of it is used.
func CheckAccent(s string) (problem, nearest string) {
	c, ok := parseColour(s)
	if !ok {
		return "must be a colour such as #0b5c63: a hash and six small hexadecimal digits", ""
	}
	if legible(c, day()) {
		return "", ""
	}
	return "is too light to be read on our pages (contrast below 4.5:1)", towards(c, colour{}, day()).String()
}

// accentSheet is the style sheet of an accent: nothing but custom properties.
// ok is false when it is no accent.
func accentSheet(s string) (css string, ok bool) {
	if problem, _ := CheckAccent(s); problem != "" {
		return "", false
	}
	white, black := colour{1, 1, 1}, colour{}
	light := rgb(s)
	dark := towards(light, white, night())
	on := func(c colour) colour {
		if contrast(c, white) >= contrast(c, black) {
			return white
		}
		return black
	}
	values := func(c, over colour, ground [2]colour) []any {
		return []any{c, over, on(c), tint(c, ground)}
	}
	l := values(light, mix(light, black, 0.25), day())
	d := values(dark, mix(dark, white, 0.25), night())
	names := []string{"--accent", "--accent-over", "--on-accent", "--tint"}
	plain, both := "", ""
	for i, name := range names {
		plain += fmt.Sprintf("%s:%s;", name, l[i])
		both += fmt.Sprintf("%s:light-dark(%s,%s);", name, l[i], d[i])
	}
	return ":root{" + plain + "}\n@supports (color:light-dark(#000,#fff)){:root{" + both + "}}\n", true
}
