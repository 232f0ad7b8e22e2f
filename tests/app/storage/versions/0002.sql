BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0002');
CREATE TABLE checkpoints (
	job INTEGER NOT NULL, 
	epoch INTEGER NOT NULL, 
	content VARCHAR(64) NOT NULL, 
	notes JSON NOT NULL, 
	model VARCHAR(28) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_checkpoints PRIMARY KEY (job, epoch), 
	CONSTRAINT fk_checkpoints_job FOREIGN KEY(job) REFERENCES jobs (number) ON DELETE CASCADE, 
	CONSTRAINT fk_checkpoints_content FOREIGN KEY(content) REFERENCES contents (digest)
);
CREATE TABLE contents (
	digest VARCHAR(64) NOT NULL, 
	size INTEGER NOT NULL, 
	CONSTRAINT pk_contents PRIMARY KEY (digest)
);
INSERT INTO "contents" VALUES('87d3d60dcdef4448546684dcfeee9617338a5e9a912742f4168bcae3fcfa7602',376);
INSERT INTO "contents" VALUES('401da1a40b77bb4f806d34efbd83aa2cf252bd88ad9d3b70cb8a7665fd4ec9bc',216);
INSERT INTO "contents" VALUES('a3a56c1203ace4d64a3299e9fb257de02d52c8c126c9186019c34911efdde06c',192);
CREATE TABLE datasets (
	number INTEGER NOT NULL, 
	id VARCHAR(28) NOT NULL, 
	content VARCHAR(64) NOT NULL, 
	examples INTEGER NOT NULL, 
	description JSON NOT NULL, 
	name VARCHAR(200), 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_datasets PRIMARY KEY (number), 
	CONSTRAINT uq_datasets_id UNIQUE (id), 
	CONSTRAINT fk_datasets_content FOREIGN KEY(content) REFERENCES contents (digest)
);
INSERT INTO "datasets" VALUES(1,'dst_e1428271078560caaec9a7b6','401da1a40b77bb4f806d34efbd83aa2cf252bd88ad9d3b70cb8a7665fd4ec9bc',3,'{"inputs": {"input": {"shape": [3, 2], "dtype": "float64", "minimum": 0.0, "maximum": 1.0, "mean": 0.6666666666666666, "deviation": 0.4714045207910317, "columns": [{"name": "1", "minimum": 0.0, "maximum": 1.0, "mean": 0.6666666666666666, "deviation": 0.4714045207910317}, {"name": "2", "minimum": 0.0, "maximum": 1.0, "mean": 0.6666666666666666, "deviation": 0.4714045207910317}]}}, "targets": {"shape": [3, 1], "dtype": "float64", "minimum": 0.0, "maximum": 1.0, "mean": 0.6666666666666666, "deviation": 0.4714045207910317, "columns": [{"name": "1", "minimum": 0.0, "maximum": 1.0, "mean": 0.6666666666666666, "deviation": 0.4714045207910317}]}}','three','2026-11-28 14:05:50.325104');
CREATE TABLE executors (
	id VARCHAR(32) NOT NULL, 
	holder VARCHAR(200) NOT NULL, 
	lease_until DATETIME NOT NULL, 
	CONSTRAINT pk_executors PRIMARY KEY (id)
);
CREATE TABLE idempotency_keys (
	"key" VARCHAR(255) NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	answer JSON, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_idempotency_keys PRIMARY KEY ("key")
);
INSERT INTO "idempotency_keys" VALUES('k','9d6572ea80b209c95fd0bf5122977ef18f4224ff49ffd617a56c412c54e0ee1f','{"id": "job_20678f5883524962230855bc", "status": "queued", "progress": {"epoch": 0, "epochs": 3, "step": 0}, "queue": {"position": 1}, "actions": ["cancel", "pause"], "created_at": "2026-11-28T14:05:50.473Z"}','2026-11-28 14:05:50.379402');
CREATE TABLE job_events (
	job INTEGER NOT NULL, 
	id INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	type VARCHAR(12) NOT NULL, 
	data JSON NOT NULL, 
	CONSTRAINT pk_job_events PRIMARY KEY (job, id), 
	CONSTRAINT fk_job_events_job FOREIGN KEY(job) REFERENCES jobs (number) ON DELETE CASCADE
);
INSERT INTO "job_events" VALUES(1,1,'2026-11-28 14:05:50.504105','status','{"status": "queued"}');
CREATE TABLE jobs (
	number INTEGER NOT NULL, 
	id VARCHAR(28) NOT NULL, 
	request JSON NOT NULL, 
	content VARCHAR(64), 
	data VARCHAR(64), 
	model VARCHAR(28), 
	name VARCHAR(200), 
	sweep VARCHAR(28), 
	variant JSON, 
	parts INTEGER NOT NULL, 
	status VARCHAR(10) NOT NULL, 
	verb VARCHAR(10), 
	run INTEGER NOT NULL, 
	executor VARCHAR(32), 
	attempts INTEGER NOT NULL, 
	events INTEGER NOT NULL, 
	reported INTEGER NOT NULL, 
	progress JSON NOT NULL, 
	environment JSON, 
	error JSON, 
	result JSON, 
	created_at DATETIME NOT NULL, 
	started_at DATETIME, 
	finished_at DATETIME, 
	CONSTRAINT pk_jobs PRIMARY KEY (number), 
	CONSTRAINT uq_jobs_id UNIQUE (id), 
	CONSTRAINT fk_jobs_content FOREIGN KEY(content) REFERENCES contents (digest), 
	CONSTRAINT fk_jobs_data FOREIGN KEY(data) REFERENCES contents (digest)
);
INSERT INTO "jobs" VALUES(1,'job_20678f5883524962230855bc','{"network": {"layers": [{"kind": "dense", "activation": "tanh", "units": 2, "bias": true, "initializer": "default"}, {"kind": "dense", "activation": "identity", "units": 1, "bias": true, "initializer": "default"}]}, "convention": "row", "data": {"first_label": 0}, "loss": {"kind": "half_squared_error", "reduction": "mean", "l2": 0.0}, "optimizer": {"kind": "sgd", "learning_rate": 0.1, "weight_decay": 0.0, "warmup_steps": 0, "variant": "torch", "momentum": 0.0, "dampening": 0.0, "nesterov": false}, "epochs": 3, "batch_size": 2, "seed": 1}','a3a56c1203ace4d64a3299e9fb257de02d52c8c126c9186019c34911efdde06c',NULL,NULL,NULL,NULL,NULL,0,'queued',NULL,0,NULL,0,1,0,'{"epoch": 0, "epochs": 3, "step": 0}',NULL,NULL,NULL,'2026-11-28 14:05:50.473744',NULL,NULL);
CREATE TABLE models (
	number INTEGER NOT NULL, 
	id VARCHAR(28) NOT NULL, 
	network JSON NOT NULL, 
	tensors JSON NOT NULL, 
	content VARCHAR(64) NOT NULL, 
	name VARCHAR(200), 
	metadata JSON NOT NULL, 
	parent VARCHAR(28), 
	created_at DATETIME NOT NULL, checkpoint_of VARCHAR(28), 
	CONSTRAINT pk_models PRIMARY KEY (number), 
	CONSTRAINT uq_models_id UNIQUE (id), 
	CONSTRAINT fk_models_content FOREIGN KEY(content) REFERENCES contents (digest)
);
INSERT INTO "models" VALUES(1,'mdl_f0bd25159f44c6810b12b3af','[{"activation": "tanh", "units": 2, "kind": "dense"}, {"units": 1, "kind": "dense"}]','[{"path": "parameters.1.bias", "dtype": "float64", "shape": [2]}, {"path": "parameters.1.weight", "dtype": "float64", "shape": [2, 2]}, {"path": "parameters.2.bias", "dtype": "float64", "shape": [1]}, {"path": "parameters.2.weight", "dtype": "float64", "shape": [2, 1]}]','87d3d60dcdef4448546684dcfeee9617338a5e9a912742f4168bcae3fcfa7602','of this version','{"a": 1}',NULL,'2026-11-28 14:05:50.152620',NULL);
CREATE TABLE pieces (
	digest VARCHAR(64) NOT NULL, 
	position INTEGER NOT NULL, 
	data BLOB NOT NULL, 
	CONSTRAINT pk_pieces PRIMARY KEY (digest, position), 
	CONSTRAINT fk_pieces_digest FOREIGN KEY(digest) REFERENCES contents (digest) ON DELETE CASCADE
);
INSERT INTO "pieces" VALUES('87d3d60dcdef4448546684dcfeee9617338a5e9a912742f4168bcae3fcfa7602',0,X'28010000000000007B22706172616D65746572732E312E62696173223A7B226474797065223A22463634222C227368617065223A5B325D2C22646174615F6F666673657473223A5B302C31365D7D2C22706172616D65746572732E312E776569676874223A7B226474797065223A22463634222C227368617065223A5B322C325D2C22646174615F6F666673657473223A5B31362C34385D7D2C22706172616D65746572732E322E62696173223A7B226474797065223A22463634222C227368617065223A5B315D2C22646174615F6F666673657473223A5B34382C35365D7D2C22706172616D65746572732E322E776569676874223A7B226474797065223A22463634222C227368617065223A5B322C315D2C22646174615F6F666673657473223A5B35362C37325D7D7D20202020000000000000E03F000000000000E0BF000000000000F83F00000000000000C0000000000000D03F0000000000000840000000000000C03F000000000000F03F0000000000000040');
INSERT INTO "pieces" VALUES('401da1a40b77bb4f806d34efbd83aa2cf252bd88ad9d3b70cb8a7665fd4ec9bc',0,X'88000000000000007B22696E707574732E696E707574223A7B226474797065223A22463634222C227368617065223A5B332C325D2C22646174615F6F666673657473223A5B302C34385D7D2C2274617267657473223A7B226474797065223A22463634222C227368617065223A5B332C315D2C22646174615F6F666673657473223A5B34382C37325D7D7D20202020200000000000000000000000000000F03F000000000000F03F0000000000000000000000000000F03F000000000000F03F000000000000F03F0000000000000000000000000000F03F');
INSERT INTO "pieces" VALUES('a3a56c1203ace4d64a3299e9fb257de02d52c8c126c9186019c34911efdde06c',0,X'88000000000000007B22646174612E696E70757473223A7B226474797065223A22463634222C227368617065223A5B322C325D2C22646174615F6F666673657473223A5B302C33325D7D2C22646174612E74617267657473223A7B226474797065223A22463634222C227368617065223A5B322C315D2C22646174615F6F666673657473223A5B33322C34385D7D7D200000000000000000000000000000F03F000000000000F03F0000000000000000000000000000F03F0000000000000000');
CREATE INDEX ix_models_content ON models (content);
CREATE INDEX ix_datasets_content ON datasets (content);
CREATE INDEX ix_jobs_status ON jobs (status);
CREATE INDEX ix_jobs_content ON jobs (content);
CREATE INDEX ix_jobs_executor ON jobs (executor);
CREATE INDEX ix_jobs_data ON jobs (data);
CREATE INDEX ix_jobs_sweep ON jobs (sweep);
CREATE INDEX ix_checkpoints_content ON checkpoints (content);
COMMIT;
