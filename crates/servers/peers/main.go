// Go's net/http. It stops as the documentation of Server.Shutdown says.
package main

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func milliseconds(name string) time.Duration {
	number, _ := strconv.Atoi(os.Getenv(name))
	return time.Duration(number) * time.Millisecond
}

// Waits at the gate, and returns what that says.
func wait(path string) string {
	gate, err := net.Dial("tcp", os.Getenv("GATE"))
	if err != nil {
		panic(err)
	}
	defer gate.Close()
	io.WriteString(gate, "GET "+path+" HTTP/1.0\r\n\r\n")
	said, _ := io.ReadAll(gate)
	_, page, _ := strings.Cut(string(said), "\r\n\r\n")
	return page
}

func main() {
	page, err := os.ReadFile(os.Getenv("PAGE"))
	if err != nil {
		log.Fatal(err)
	}
	big := strings.Repeat(".", 32*1024*1024)
	send := func(w http.ResponseWriter, page string) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Length", strconv.Itoa(len(page)))
		io.WriteString(w, page)
	}
	pages := http.NewServeMux()
	pages.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { send(w, string(page)) })
	pages.HandleFunc("/sleep", func(w http.ResponseWriter, _ *http.Request) { send(w, wait("/sleep")) })
	pages.HandleFunc("/big", func(w http.ResponseWriter, _ *http.Request) { send(w, big) })
	pages.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client is gone
		}
		send(w, string(body))
	})
	pages.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) {
		wait("/panic")
		panic("as it was asked to")
	})

	patience := milliseconds("PATIENCE")
	server := &http.Server{
		Handler:           pages,
		ReadHeaderTimeout: patience,
		ReadTimeout:       patience,
		WriteTimeout:      patience,
	}
	stopped := make(chan error)
	go func() {
		asked := make(chan os.Signal, 1)
		signal.Notify(asked, syscall.SIGTERM)
		<-asked
		grace, cancel := context.WithTimeout(context.Background(), milliseconds("GRACE"))
		defer cancel()
		stopped <- server.Shutdown(grace)
	}()

	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	os.Stderr.WriteString("listening on " + listener.Addr().String() + "\n")
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	if err := <-stopped; err != nil {
		log.Fatal(err)
	}
}
