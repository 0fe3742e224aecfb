package report

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFiguresAreDrawnAndNotBlank(t *testing.T) {
	dir := t.TempDir()
	if to := os.Getenv("REPORT_FIGURES"); to != "" {
		dir = to // to look at them
	}
	writeSynthetic(t, dir)
	if err := Write(dir); err != nil {
		t.Fatal(err)
	}
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	f, err := gather(r)
	if err != nil {
		t.Fatal(err)
	}
	made, left := f.figures()
	if len(left) != 2 || !strings.HasPrefix(left[0], "supply: fewer than two whole years") || !strings.HasPrefix(left[1], "shares: ") || len(made) != 18 {
		t.Fatalf("%d figures made, left out: %v", len(made), left)
	}
	for _, fig := range made {
		if _, err := fig.save(filepath.Join(dir, "figures")); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, "figures", fig.name+".png"))
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if w := img.Bounds().Dx(); w != 1200 {
			t.Errorf("%s is %d pixels wide, expected 1200", fig.name, w)
		}
		if n := painted(img, img.Bounds()); n < 0.01 {
			t.Errorf("%s: %.2f %% of the pixels are painted", fig.name, 100*n)
		}
	}
}

// painted is the share of pixels of a part of an image that are not white.
func painted(img image.Image, part image.Rectangle) float64 {
	n := 0
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			if r, g, b, _ := img.At(x, y).RGBA(); r&g&b != 0xffff {
				n++
			}
		}
	}
	return float64(n) / float64(part.Dx()*part.Dy())
}
