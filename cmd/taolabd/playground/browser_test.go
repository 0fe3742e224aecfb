package playground

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"taolab/agents/role"
)

var screenshot = flag.String("screenshot", "", "file that the test in a browser writes what it saw to")

// browse opens a browser until the test ends.
func browse(t *testing.T) context.Context {
	t.Helper()
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("not run: there is no chromium on the path")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox,
		chromedp.WindowSize(1250, 1200), chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(time.Minute))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// seen is the text of an element.
func seen(t *testing.T, ctx context.Context, element string) string {
	t.Helper()
	text, err := chromedp.Run(ctx, chromedp.Text(element))
	if err != nil {
		t.Fatalf("%s: %v", element, err)
	}
	return text
}

// TestThePageAnswersInABrowser types a prompt, sends it by keyboard, and reads the answer.
func TestThePageAnswersInABrowser(t *testing.T) {
	ctx := browse(t)
	page := start(t, 1, 0, func(app *role.Application, _ *role.Miner) { app.PaceS = 0.05 }).serve(t)
	if err := chromedp.Do(ctx,
		chromedp.Navigate(page),
		chromedp.WaitVisible("#graph td.key"),
		chromedp.SetValue("#prompt", "the value of the "),
		chromedp.SetValue("#tokens", "24"),
		chromedp.Focus("#prompt"),
		chromedp.KeyEvent("\r", chromedp.KeyModifiers(chromedp.ModifierCtrl)),
	); err != nil {
		t.Fatal(err)
	}
	const done = `document.getElementById("status").textContent.startsWith("Done") && document.querySelectorAll("#heard td.Success").length === 3`
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](done)); err != nil {
		t.Fatalf("%v; the page says %q %q", err, seen(t, ctx, "#status"), seen(t, ctx, "#text"))
	}
	if text, status := seen(t, ctx, "#text"), seen(t, ctx, "#status"); len(strings.TrimSpace(text)) < 10 || !strings.Contains(status, "24 tokens") {
		t.Errorf("the answer %q, and %q", text, status)
	}
	if peers, buys := seen(t, ctx, "#peers-table"), seen(t, ctx, "#buys"); strings.Count(peers, "Success") != 3 ||
		!strings.Contains(buys, "all 3 miners that you asked have answered") {
		t.Errorf("miners %q, and the stake buys %q", peers, buys)
	}
	if graph := seen(t, ctx, "#graph"); strings.Count(graph, "\n") < 4 {
		t.Errorf("metagraph %q", graph)
	}
	if *screenshot == "" {
		return
	}
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(*screenshot, picture, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestThePageExplainsARefusal(t *testing.T) {
	ctx := browse(t)
	page := start(t, 0, 5, nil).serve(t)
	if err := chromedp.Do(ctx, chromedp.Navigate(page), chromedp.Click("#send"), chromedp.WaitVisible("#error")); err != nil {
		t.Fatal(err)
	}
	if told := seen(t, ctx, "#error"); !strings.Contains(told, "this node serves from 5 TAO on") || !strings.Contains(told, "has 0 TAO of stake") {
		t.Errorf("the page says %q", told)
	}
}
