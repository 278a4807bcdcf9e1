"use strict";

// The id that PocketBase has for this visitor's stream of events, once it sends those of notes.
let client = "";

// Every note shows up here by an event, whoever added it.
const events = new EventSource("/api/realtime");
events.addEventListener("PB_CONNECT", async event => {
	const { clientId } = JSON.parse(event.data);
	await post("/api/realtime", JSON.stringify({ clientId, subscriptions: ["notes"] }), { "Content-Type": "application/json" });
	client = clientId;
});
events.addEventListener("notes", event => {
	const { record } = JSON.parse(event.data);
	const link = document.createElement("a");
	link.textContent = record.title;
	if (record.file) link.href = `/api/files/notes/${record.id}/${record.file}`;
	const item = document.createElement("li");
	item.append(link);
	document.getElementById("notes").append(item);
});

document.getElementById("form").addEventListener("submit", event => {
	event.preventDefault();
	post("/api/collections/notes/records", new FormData(event.target));
});

async function post(url, body, headers) {
	const response = await fetch(url, { method: "POST", body, headers });
	if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
}
