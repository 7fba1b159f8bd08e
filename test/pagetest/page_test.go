// Package pagetest looks at the status page with a real browser.
package pagetest

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is a headless Chromium, or the test is skipped.
func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("there is no chromium")
	return ""
}

// page is the page of a running agent in a browser.
type page struct {
	t       *testing.T
	ctx     context.Context
	says    string
	agent   *os.Process
	mu      sync.Mutex
	noise   []string // what the browser complains of
	strange []string // requests off the host
}

// open runs the real program with one check and looks at its page.
func open(t *testing.T) *page {
	t.Helper()
	p := openWith(t, "")
	p.sees("#summary", "all is well")
	return p
}

// browsers are those at once: with more than the machine can bear the agent's checks skip ticks, and it tells so.
var browsers = make(chan struct{}, 4)

// openWith is open, with more in the configuration.
func openWith(t *testing.T, more string) *page {
	t.Helper()
	chromium := browser(t)
	browsers <- struct{}{}
	t.Cleanup(func() { <-browsers })
	p := &page{t: t, says: filepath.Join(t.TempDir(), "says")}
	address := p.serve(more)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.UserDataDir(profile(t)))
	allocated, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	window, cancel := chromedp.NewContext(allocated, chromedp.WithErrorf(func(string, ...any) {})) // of events newer than the library
	t.Cleanup(cancel)
	t.Cleanup(func() { _ = chromedp.Cancel(window) }) // waits until the browser has left its directory
	ctx, cancel := context.WithTimeout(window, 90*time.Second)
	t.Cleanup(cancel)
	p.ctx = ctx
	chromedp.ListenTarget(ctx, func(event any) { p.hear(event, address) })
	p.do(network.Enable(), log.Enable(), runtime.Enable(), chromedp.Navigate("http://"+address+"/"))
	return p
}

// profile is a directory for the browser, whose last processes write to it a little longer than it lives.
func profile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "catpaw-page-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for deadline := time.Now().Add(10 * time.Second); os.RemoveAll(dir) != nil && time.Now().Before(deadline); {
			time.Sleep(20 * time.Millisecond)
		}
	})
	return dir
}

// serve starts the agent, with more in its configuration, and returns where its page is.
func (p *page) serve(more string) (address string) {
	p.t.Helper()
	dir := p.t.TempDir()
	binary := filepath.Join(dir, "catpaw")
	build := exec.Command("go", "build", "-o", binary, "./cmd/catpaw")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		p.t.Fatalf("%v: %s", err, out)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		p.t.Fatal(err)
	}
	address = listener.Addr().String()
	listener.Close()
	p.say("")
	for name, text := range map[string]string{
		"conf.d/config.toml":   fmt.Sprintf("[[outputs.stdout]]\n[status]\nlisten = %q\n%s", address, more),
		"conf.d/p.net/a.toml":  "[[instances]]\ntargets = []\n",
		"conf.d/p.exec/a.toml": fmt.Sprintf("[[instances]]\ninterval = 1\nalerting.flap_window = 0\ncommands = [['cat', %q]]\n", p.says),
	} {
		path := filepath.Join(dir, name)
		os.MkdirAll(filepath.Dir(path), 0o755)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			p.t.Fatal(err)
		}
	}
	agent := exec.Command(binary, "-configs", filepath.Join(dir, "conf.d"))
	if err := agent.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.agent = agent.Process
	p.t.Cleanup(func() { agent.Process.Kill(); agent.Wait() })
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return address
		}
		if time.Now().After(deadline) {
			p.t.Fatal("the page is not served")
		}
	}
}

// say sets what the check reports: events as JSON, none of them where text is empty.
func (p *page) say(events string) {
	p.t.Helper()
	if err := os.WriteFile(p.says+".new", []byte("["+events+"]"), 0o644); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Rename(p.says+".new", p.says); err != nil {
		p.t.Fatal(err)
	}
}

func (p *page) hear(event any, address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if u, err := url.Parse(e.Request.URL); err != nil || u.Scheme != "data" && u.Host != address {
			p.strange = append(p.strange, e.Request.URL)
		}
	case *log.EventEntryAdded:
		p.noise = append(p.noise, e.Entry.Text+" "+e.Entry.URL)
	case *runtime.EventExceptionThrown:
		p.noise = append(p.noise, e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		p.noise = append(p.noise, fmt.Sprint("console: ", e.Type))
	}
}

func (p *page) do(actions ...chromedp.Action) {
	p.t.Helper()
	if err := chromedp.Run(p.ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// click presses an element wherever the page has it by now: it moves when something appears above.
func (p *page) click(selector string) {
	p.t.Helper()
	var there bool
	p.do(chromedp.Evaluate(fmt.Sprintf("(e => { e?.click(); return Boolean(e) })(document.querySelector(%q))", selector), &there))
	if !there {
		p.t.Fatalf("there is no %s to click", selector)
	}
}

// text is what an element shows, "" where it is not there.
func (p *page) text(selector string) (text string) {
	p.t.Helper()
	p.do(chromedp.Evaluate(fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", selector), &text))
	return text
}

// sees waits until an element shows a text.
func (p *page) sees(selector, want string) {
	p.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(p.text(selector), want); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("%s shows %q, want %q; the browser says %v", selector, p.text(selector), want, p.noise)
		}
	}
}

// judge holds what must be true at the end of every look.
func (p *page) judge() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.noise) > 0 {
		p.t.Errorf("the browser complains: %v", p.noise)
	}
	if len(p.strange) > 0 {
		p.t.Errorf("requests off the host: %v", p.strange)
	}
}

const disk = `{"event_status": "Critical", "labels": {"check": "disk usage", "target": "/data <b>x</b>"}, "description": "full"}`

// TestThePageIsLive: an alert appears, tells its story, is silenced and told again, without any reload.
func TestThePageIsLive(t *testing.T) {
	t.Parallel()
	p := open(t)
	p.sees("#checks", "p.exec/a.toml:1")
	p.sees("#checks li:last-child", "nothing: targets is empty")
	p.sees("#checks li:last-child .state", "–")
	p.sees("#agent", "2 checks;") // with that of catpaw itself
	p.say(disk)
	p.sees("#summary", "1 alert firing")
	p.sees("#alerts .title", "disk usage /data <b>x</b>")
	p.click("#alerts summary")
	p.sees("#alerts .story", "told: it fires")
	p.click("#alerts button.silence")
	p.do(chromedp.WaitVisible("#silence-dialog"), chromedp.SendKeys("#silence-reason", "moving"))
	p.click("#silence-add")
	p.sees("#silences", "moving")
	p.sees("#alerts .soft", "silenced by 1")
	p.click("#silences button.end")
	p.sees("#no-silences", "Nothing is silenced")
	p.click("#alerts button.ack")
	p.sees("#alerts .soft", "acknowledged")
	p.say("")
	p.sees("#no-alerts", "No alert is open")
	p.judge()
}

// TestASilenceOfStrangeLabels: what the page shows of an alert is what it silences, whatever is in it.
func TestASilenceOfStrangeLabels(t *testing.T) {
	t.Parallel()
	p := open(t)
	p.say(`{"event_status": "Critical", "labels": {"check": "strange", "dev": " sda ", "a=b": "c=d", "glob": "a[x]*?{b,c}!\\", "path": "C:\\x{y}",
		"__proto__": "p", "says": "it is \"big\"", "target": "http://me:secret@[::1]/x?y"}}`)
	p.sees("#alerts .title", "***@[::1]")
	p.click("#alerts button.silence")
	p.sees("#silence-match", `dev = " sda "`)
	p.sees("#silence-match", `"a=b" = c=d`)
	p.click("#silence-add")
	p.sees("#alerts .soft", "silenced by 1")
	if notice := p.text("#notice"); notice != "" {
		t.Errorf("it matches, and the page says %q", notice)
	}
	p.click("#silences button.end")
	p.sees("#no-silences", "Nothing is silenced")
	p.click("#silence-new")
	p.do(chromedp.SendKeys("#silence-more", " \"a=b\" = c* \ndev = \" s?a \""))
	p.click("#silence-add")
	p.sees("#alerts .soft", "silenced by 2")
	p.sees("#silences .title", `"a=b" = c*, dev = " s?a "`)
	p.judge()
}

// TestNotAllIsWellWhereNobodyWouldHear: no alert fires, but an output or the heartbeat fails.
func TestNotAllIsWellWhereNobodyWouldHear(t *testing.T) {
	t.Parallel()
	p := openWith(t, `[[outputs.webhook]]
url = "http://127.0.0.1:1/"
[heartbeat]
url = "http://127.0.0.1:1/"
`)
	p.sees("#summary", "no alert fires, but no heartbeat gets through")
	p.say(disk)
	p.sees("#summary", "1 alert firing, 1 output fails, no heartbeat gets through")
	p.sees("#outputs", "has failed for ")
	p.say("")
	p.sees("#summary", "no alert fires, but 1 output fails, no heartbeat gets through")
	p.judge()
}

// TestASilenceOfNothingIsSaid, and the dialog keeps nothing of the last one.
func TestASilenceOfNothingIsSaid(t *testing.T) {
	t.Parallel()
	p := open(t)
	p.say(disk)
	p.sees("#summary", "1 alert firing")
	p.click("#silence-new")
	p.do(chromedp.SendKeys("#silence-more", "chekc=disk*"), chromedp.SendKeys("#silence-reason", "moving"))
	p.click("#silence-add")
	p.sees("#notice", "Silence 1 is in force, but no alert that is open now matches it")
	p.click("#alerts button.silence")
	var kept string
	p.do(chromedp.Evaluate("document.querySelector('#silence-reason').value + document.querySelector('#silence-more').value", &kept))
	if kept != "" {
		t.Errorf("the dialog opens with %q", kept)
	}
	p.click("#silence-add")
	p.sees("#alerts .soft", "silenced by 2")
	if notice := p.text("#notice"); notice != "" {
		t.Errorf("it matches, and the page says %q", notice)
	}
	p.judge()
}

// TestAPageThatIsOldSaysSo: an agent that hangs takes connections and says nothing.
func TestAPageThatIsOldSaysSo(t *testing.T) {
	t.Parallel()
	p := open(t)
	if err := p.agent.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	p.sees("#age", "s old")
	p.sees("#problem", "The agent does not answer: nothing came within 10 s")
	var title string
	p.do(chromedp.Title(&title))
	if !strings.HasPrefix(title, "? ") {
		t.Errorf("the window is called %q", title)
	}
	if err := p.agent.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	for p.text("#age")+p.text("#problem") != "" {
		if p.ctx.Err() != nil {
			t.Fatalf("it goes on: %q %q", p.text("#age"), p.text("#problem"))
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.judge()
}

// TestASilenceByKeyboard: without a mouse, and what is wrong is said in the dialog.
func TestASilenceByKeyboard(t *testing.T) {
	t.Parallel()
	p := open(t)
	p.do(chromedp.Focus("#silence-new"), chromedp.KeyEvent("\r"), chromedp.WaitVisible("#silence-dialog"), chromedp.KeyEvent("check=disk*"))
	var focus string
	p.do(chromedp.Evaluate("document.activeElement.id", &focus))
	if focus != "silence-more" {
		t.Errorf("the dialog opens with the focus on %q", focus)
	}
	p.do(chromedp.SendKeys("#silence-more", "\nnonsense"), chromedp.Focus("#silence-add"), chromedp.KeyEvent("\r"))
	p.sees("#silence-error", "nonsense is not label=glob")
	p.do(chromedp.KeyEvent("\x1b"))
	p.sees("#no-silences", "Nothing is silenced")
	p.judge()
}

// TestThePageFitsAPhoneInTheDark: nothing sticks out to the side, and the dark is dark.
func TestThePageFitsAPhoneInTheDark(t *testing.T) {
	t.Parallel()
	p := open(t)
	p.say(disk)
	p.sees("#summary", "1 alert firing")
	p.do(emulation.SetDeviceMetricsOverride(360, 740, 2, true),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}))
	var wide, light float64
	p.do(chromedp.Evaluate("document.documentElement.scrollWidth - window.innerWidth", &wide),
		chromedp.Evaluate("Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])", &light))
	if wide > 0 || light > 60 {
		t.Errorf("%v pixels too wide, ground of lightness %v", wide, light)
	}
	if path := os.Getenv("CATPAW_PICTURES"); path != "" {
		var picture []byte
		p.do(chromedp.FullScreenshot(&picture, 100))
		if err := os.WriteFile(filepath.Join(path, "phone.png"), picture, 0o644); err != nil {
			t.Error(err)
		}
	}
	p.judge()
}
