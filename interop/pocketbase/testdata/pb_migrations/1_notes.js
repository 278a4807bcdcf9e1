// The collection notes: everybody may read it, and add to it.
migrate((app) => app.save(new Collection({
	type: "base",
	name: "notes",
	listRule: "",
	viewRule: "",
	createRule: "",
	fields: [
		{ type: "text", name: "title" },
		{ type: "file", name: "file", maxSize: 30 << 20 },
	],
})))
