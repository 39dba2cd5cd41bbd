// Goes on when the admins have decided. Without this script the page reloads
// itself: every four seconds, or every minute while there is a field to type in.
"use strict";
(() => {
  const status = document.getElementById("status");
  const ours = (raw) => {
    const url = new URL(raw, location.href);
    if (url.origin !== location.origin) throw new Error("not our own address");
    return url.href;
  };
  const events = ours(status.dataset.eventsUrl);
  const next = ours(status.dataset.nextUrl);
  let source = null;
  let later = 0;

  const listen = () => {
    if (source) source.close();
    source = new EventSource(events);
    source.addEventListener("decided", () => {
      source.close();
      status.textContent = status.dataset.decided;
      location.replace(next);
    });
    // A question has come: the page, asked again, shows it. What is being
    // written stays until it is sent.
    source.addEventListener("asked", () => {
      const typing = document.querySelector('input[type="text"]');
      if (typing && typing.value) return;
      source.close();
      location.replace(next);
    });
    source.addEventListener("error", () => {
      // The browser reconnects by itself unless the server said no for good;
      // then the page, asked again, knows what to show.
      if (source.readyState === EventSource.CLOSED && !later) {
        later = setTimeout(() => location.reload(), 4000);
      }
    });
  };

  addEventListener("pagehide", () => { if (source) source.close(); });
  addEventListener("pageshow", (e) => { if (e.persisted) location.reload(); });
  // Phones cut connections of pages out of sight.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && source.readyState !== EventSource.OPEN) listen();
  });
  listen();
})();
