//! One blob, an image that names it, an index that names the image and a referrer of it, in two repositories of one
//! registry; and the steps of those who work on them, as the registry takes them.
//!
//! Everything that is there at the start is older than the grace. A transaction runs over what the transactions before it
//! left (`queued`), and is seen by readers only after a commit, which takes all that is queued at once.

/// What the protocol asks; broken one by one to see what it is good for.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    /// What was written during the walk is too young to be collected. Without it every push is slower than the grace.
    pub(crate) grace: bool,
    /// Whoever publishes or removes a blob's file holds the blob's lock until its transaction is through.
    pub(crate) locks: bool,
    /// What is dropped is looked at again in the transaction that drops it.
    pub(crate) decide_in_transaction: bool,
    /// A blob's row is deleted before its file.
    pub(crate) row_first: bool,
    /// A blob's file is in its place before its row is.
    pub(crate) publish_first: bool,
    /// What a client was told is there is noted, and not dropped.
    pub(crate) notes: bool,
    /// A client is answered out of a transaction where a sweep began or ended meanwhile.
    pub(crate) ask_again: bool,
    /// Whether a file has a row is asked behind all queued transactions.
    pub(crate) orphans_by_transaction: bool,
}

impl Rules {
    /// The protocol as it is.
    pub(crate) const KEPT: Self = Self {
        grace: true,
        locks: true,
        decide_in_transaction: true,
        row_first: true,
        publish_first: true,
        notes: true,
        ask_again: true,
        orphans_by_transaction: true,
    };
}

/// What somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Job {
    /// Pushes the image to a repository: asks for the blob, uploads it if it is not there, puts the manifest.
    Push(usize),
    /// Mounts the blob from repository 0 to 1 and puts the manifest there.
    Mount,
    /// Asks for the image in repository 0 and puts an index over it.
    Index,
    /// Puts a referrer of the image to repository 0.
    Refer,
    /// Deletes the image's tag in repository 0, then the image.
    Delete,
    /// A whole collection.
    Collect,
    /// Ends the process at any moment.
    Crash,
    /// Drops a request, or a collection, wherever it waits.
    DropOne,
}

/// What the store has.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
struct Rows {
    blob: bool,
    link: [bool; 2],
    young_link: [bool; 2],
    image: [bool; 2],
    young_image: [bool; 2],
    tag: [bool; 2],
    index: bool,
    referrer: bool,
    young_referrer: bool,
    /// What a client will get, or got, its 201 for, and nobody deleted since.
    owed: [bool; 2],
    owed_index: bool,
    owed_referrer: bool,
}

impl Rows {
    fn held(&self) -> bool {
        self.link.contains(&true)
    }

    /// The referrer names no blob of its own; it goes when its subject does.
    fn may_drop_referrer(&self) -> bool {
        self.referrer && !self.image[0] && !self.young_referrer
    }

    fn may_drop_image(&self, repository: usize) -> bool {
        let listed = repository == 0 && self.index;
        self.image[repository] && !self.tag[repository] && !listed && !self.young_image[repository]
    }

    fn may_drop_link(&self, repository: usize) -> bool {
        self.link[repository] && !self.image[repository] && !self.young_link[repository]
    }
}

/// Where somebody is, and what they remember.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Actor {
    job: Job,
    at: u8,
    /// Waits for the commit of what it queued.
    waits: bool,
    /// The epoch of the sweeps when it asked.
    epoch: u8,
    /// The answer it goes on with.
    yes: bool,
    /// The registry said that what it will name is there.
    told: bool,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    committed: Rows,
    queued: Rows,
    file: bool,
    lock: Option<usize>,
    /// Even: no sweep is dropping anything.
    epoch: u8,
    noted_blob: [bool; 2],
    noted_image: bool,
    actors: Vec<Actor>,
    /// A push was refused for lack of what the registry had said is there.
    betrayed: bool,
    over: bool,
}

const DONE: u8 = u8::MAX;

impl State {
    pub(crate) fn new() -> Self {
        Self {
            committed: Rows::default(),
            queued: Rows::default(),
            file: false,
            lock: None,
            epoch: 0,
            noted_blob: [false; 2],
            noted_image: false,
            actors: Vec::new(),
            betrayed: false,
            over: false,
        }
    }

    /// A file that a crash left without a row.
    pub(crate) fn with_file(mut self) -> Self {
        self.file = true;
        self
    }

    pub(crate) fn with_blob(mut self, repository: usize) -> Self {
        self.file = true;
        self.committed.blob = true;
        self.committed.link[repository] = true;
        self.queued = self.committed.clone();
        self
    }

    pub(crate) fn with_image(self, repository: usize, tagged: bool) -> Self {
        let mut state = self.with_blob(repository);
        state.committed.image[repository] = true;
        state.committed.tag[repository] = tagged;
        state.committed.owed[repository] = tagged;
        state.queued = state.committed.clone();
        state
    }

    pub(crate) fn running(mut self, jobs: &[Job]) -> Self {
        let actor = |&job| Actor { job, at: 0, waits: false, epoch: 0, yes: false, told: false };
        self.actors = jobs.iter().map(actor).collect();
        self
    }

    /// What must hold at every moment, for readers and after a crash.
    pub(crate) fn check(&self) -> Option<String> {
        let rows = &self.committed;
        if rows.blob && !self.file {
            return Some("a row without a file".to_owned());
        }
        for repository in 0..2 {
            if rows.link[repository] && !rows.blob {
                return Some(format!("a link of repository {repository} without a blob"));
            }
            if rows.image[repository] && !rows.link[repository] {
                return Some(format!("a manifest names a blob that repository {repository} does not hold"));
            }
            if rows.owed[repository] && !rows.image[repository] {
                return Some(format!("the acknowledged image of repository {repository} is gone"));
            }
        }
        if rows.index && !rows.image[0] {
            return Some("an index names an image that is gone".to_owned());
        }
        if rows.owed_index && !rows.index {
            return Some("the acknowledged index is gone".to_owned());
        }
        if rows.owed_referrer && rows.image[0] && !rows.referrer {
            return Some("the referrer of an image that is there is gone".to_owned());
        }
        self.betrayed
            .then(|| "a client was told that something is there, and refused for lack of it".to_owned())
    }

    /// What must hold when all is done: another collection, alone, leaves nothing that nobody names.
    pub(crate) fn check_end(&self, rules: Rules) -> Option<String> {
        let stuck = self.actors.iter().find(|actor| actor.at != DONE && actor.job != Job::DropOne);
        if let (Some(actor), false) = (stuck, self.over) {
            return Some(format!("{actor:?} waits for ever"));
        }
        let mut last = self.clone();
        last.committed.young_link = [false; 2];
        last.committed.young_image = [false; 2];
        last.committed.young_referrer = false;
        last.queued = last.committed.clone();
        last.noted_blob = [false; 2];
        last.noted_image = false;
        last.lock = None;
        last.over = false;
        last = last.running(&[Job::Collect]);
        while let Some((_, next)) = last.steps(rules).pop() {
            last = next;
            if let Some(what) = last.check() {
                return Some(format!("in the last collection: {what}"));
            }
        }
        let rows = &last.committed;
        if last.file != rows.blob || rows.blob != rows.held() || rows.link != rows.image {
            return Some("a collection alone left garbage".to_owned());
        }
        None
    }

    /// Every step that somebody can take now.
    pub(crate) fn steps(&self, rules: Rules) -> Vec<(String, State)> {
        let mut next = Vec::new();
        if self.over {
            return next;
        }
        if self.queued != self.committed || self.actors.iter().any(|actor| actor.waits) {
            let mut state = self.clone();
            state.commit();
            next.push(("the writer commits".to_owned(), state));
        }
        for who in 0..self.actors.len() {
            let actor = &self.actors[who];
            if actor.at == DONE || actor.waits {
                continue;
            }
            let name = format!("{who} {:?} at {}", actor.job, actor.at);
            match actor.job {
                Job::Crash => next.push((name, self.crashed())),
                Job::DropOne => {
                    for whom in 0..self.actors.len() {
                        if let Some(state) = self.dropped(who, whom) {
                            next.push((format!("{who} drops {whom}"), state));
                        }
                    }
                }
                _ => {
                    let mut state = self.clone();
                    if state.step(who, rules) {
                        next.push((name, state));
                    }
                }
            }
        }
        next
    }

    fn commit(&mut self) {
        self.committed = self.queued.clone();
        for actor in &mut self.actors {
            actor.waits = false;
        }
    }

    fn crashed(&self) -> Self {
        // What was queued may have been committed or not; the other case is a crash after the commit.
        let mut state = self.clone();
        state.queued = state.committed.clone();
        state.over = true;
        state
    }

    /// `whom` waits for a commit and is not polled again: what it queued is done all the same, its lock is free.
    fn dropped(&self, who: usize, whom: usize) -> Option<Self> {
        let victim = self.actors.get(whom).filter(|actor| actor.waits)?;
        let sweeping = victim.job == Job::Collect && self.epoch % 2 == 1;
        let mut state = self.clone();
        state.actors[whom].waits = false;
        state.actors[whom].at = DONE;
        state.actors[who].at = DONE;
        if state.lock == Some(whom) {
            state.lock = None;
        }
        if sweeping {
            // The mark belongs to the transaction and is taken away behind its commit.
            state.commit();
            state.epoch += 1;
        }
        Some(state)
    }

    /// One step of one actor; `false` when it has to wait for the lock.
    fn step(&mut self, who: usize, rules: Rules) -> bool {
        match self.actors[who].job {
            Job::Push(repository) => self.push(who, repository, rules),
            Job::Mount => self.mount(who, rules),
            Job::Index => self.put_index(who, rules),
            Job::Refer => self.refer(who, rules),
            Job::Delete => self.delete(who),
            Job::Collect => return self.collect(who, rules),
            Job::Crash | Job::DropOne => {}
        }
        !self.blocked(who, rules)
    }

    /// Marks an actor that found the lock taken; its step then is none.
    fn blocked(&self, who: usize, rules: Rules) -> bool {
        rules.locks && self.actors[who].at == WAITING
    }

    fn at(&mut self, who: usize, at: u8) {
        self.actors[who].at = at;
    }

    /// What was queued goes on when it is committed.
    fn queue(&mut self, who: usize, at: u8) {
        self.actors[who].waits = true;
        self.at(who, at);
    }

    fn take_lock(&mut self, who: usize, rules: Rules, at: u8) {
        if !rules.locks {
            self.at(who, at);
        } else if self.lock.is_none() {
            self.lock = Some(who);
            self.at(who, at);
        } else {
            self.at(who, WAITING);
        }
    }

    fn free_lock(&mut self, who: usize) {
        if self.lock == Some(who) {
            self.lock = None;
        }
    }

    /// Steps 0 to 3: a HEAD. Goes on at `found` or `missing`.
    fn ask(&mut self, who: usize, rules: Rules, there: fn(&Rows, usize) -> bool, about: About, go: (u8, u8)) {
        let (found, missing) = go;
        let repository = about.repository();
        match self.actors[who].at {
            0 => {
                self.actors[who].epoch = self.epoch;
                self.actors[who].yes = there(&self.committed, repository);
                self.at(who, 1);
            }
            1 => {
                if rules.notes {
                    match about {
                        About::Blob(repository) => self.noted_blob[repository] = true,
                        About::Image => self.noted_image = true,
                    }
                }
                self.at(who, 2);
            }
            2 => {
                let overtaken = self.epoch != self.actors[who].epoch || self.epoch % 2 == 1;
                if rules.ask_again && overtaken {
                    self.actors[who].yes = there(&self.queued, repository);
                    self.queue(who, 3);
                } else {
                    self.at(who, 3);
                }
            }
            _ => {
                let yes = self.actors[who].yes;
                self.actors[who].told = yes;
                self.at(who, if yes { found } else { missing });
            }
        }
    }

    fn push(&mut self, who: usize, repository: usize, rules: Rules) {
        match self.actors[who].at {
            0..=3 => self.ask(who, rules, |rows, at| rows.link[at], About::Blob(repository), (20, 10)),
            10 => self.take_lock(who, rules, 11),
            11 => {
                let stored = self.committed.blob && self.file;
                if !stored && rules.publish_first {
                    self.file = true;
                }
                self.at(who, 12);
            }
            12 => {
                let rows = &self.committed;
                if rows.link[repository] && rows.young_link[repository] && rows.blob {
                    self.at(who, 13);
                } else {
                    self.queued.blob = true;
                    self.queued.link[repository] = true;
                    self.queued.young_link[repository] = rules.grace;
                    self.queue(who, 13);
                }
            }
            13 => {
                if !rules.publish_first {
                    self.file = true;
                }
                self.free_lock(who);
                self.at(who, 20);
            }
            _ => self.put_image(who, repository, rules),
        }
    }

    fn put_image(&mut self, who: usize, repository: usize, rules: Rules) {
        if self.actors[who].at == 20 {
            self.actors[who].yes = self.queued.link[repository];
            if self.actors[who].yes {
                self.queued.image[repository] = true;
                self.queued.young_image[repository] = rules.grace;
                self.queued.tag[repository] = true;
                self.queued.owed[repository] = true;
            }
            self.queue(who, 21);
        } else {
            self.betrayed |= self.actors[who].told && !self.actors[who].yes;
            self.at(who, DONE);
        }
    }

    fn mount(&mut self, who: usize, rules: Rules) {
        match self.actors[who].at {
            0 => {
                self.actors[who].yes = self.queued.link[0];
                if self.actors[who].yes {
                    self.queued.link[1] = true;
                    self.queued.young_link[1] = rules.grace;
                }
                self.queue(who, 1);
            }
            1 => {
                // Mounted links are old at once where there is no grace, so being told is no promise then.
                self.actors[who].told = self.actors[who].yes && rules.grace;
                let next = if self.actors[who].yes { 20 } else { DONE };
                self.at(who, next);
            }
            _ => self.put_image(who, 1, rules),
        }
    }

    fn put_index(&mut self, who: usize, rules: Rules) {
        match self.actors[who].at {
            0..=3 => self.ask(who, rules, |rows, at| rows.image[at], About::Image, (20, DONE)),
            20 => {
                self.actors[who].yes = self.queued.image[0];
                self.queued.index |= self.actors[who].yes;
                self.queued.owed_index = self.queued.index;
                self.queue(who, 21);
            }
            _ => {
                // Another client may delete the image in between; nobody was betrayed then.
                let deleted = self.actors.iter().any(|actor| actor.job == Job::Delete);
                self.betrayed |= !self.actors[who].yes && !deleted;
                self.at(who, DONE);
            }
        }
    }

    fn refer(&mut self, who: usize, rules: Rules) {
        if self.actors[who].at == 0 {
            self.queued.referrer = true;
            self.queued.young_referrer = rules.grace;
            self.queued.owed_referrer = true;
            self.queue(who, 1);
        } else {
            self.at(who, DONE);
        }
    }

    fn delete(&mut self, who: usize) {
        match self.actors[who].at {
            0 => {
                self.queued.tag[0] = false;
                self.queued.owed[0] = false;
                self.queue(who, 1);
            }
            1 => {
                // An image that an index lists is left to it.
                if !self.queued.index && !self.queued.tag[0] {
                    self.queued.image[0] = false;
                }
                self.queue(who, 2);
            }
            _ => self.at(who, DONE),
        }
    }

    /// Referrers, images, links, blobs, orphaned files. Each is a candidate by a snapshot first.
    fn collect(&mut self, who: usize, rules: Rules) -> bool {
        let at = self.actors[who].at;
        match at {
            0 => self.sweep(who, rules, Sweep::Referrer, 10),
            1 => self.swept(who, 10),
            10 => self.sweep(who, rules, Sweep::Image(0), 20),
            11 => self.swept(who, 20),
            20 => self.sweep(who, rules, Sweep::Image(1), 30),
            21 => self.swept(who, 30),
            30 => self.sweep(who, rules, Sweep::Link(0), 40),
            31 => self.swept(who, 40),
            40 => self.sweep(who, rules, Sweep::Link(1), 50),
            41 => self.swept(who, 50),
            // Between the snapshot and the transaction.
            2 | 12 | 22 | 32 | 42 => self.drop_candidate(who, rules, at),
            50..=54 => self.collect_blob(who, rules),
            _ => self.collect_orphan(who, rules),
        }
        !self.blocked(who, rules)
    }

    fn sweep(&mut self, who: usize, rules: Rules, what: Sweep, next: u8) {
        let at = self.actors[who].at;
        let candidate = self.may_drop(&self.committed, what, rules);
        if candidate {
            self.epoch += 1;
            self.at(who, at + 2);
        } else {
            self.at(who, next);
        }
    }

    fn drop_candidate(&mut self, who: usize, rules: Rules, at: u8) {
        let what = match at {
            2 => Sweep::Referrer,
            12 => Sweep::Image(0),
            22 => Sweep::Image(1),
            32 => Sweep::Link(0),
            _ => Sweep::Link(1),
        };
        if !rules.decide_in_transaction || self.may_drop(&self.queued, what, rules) {
            match what {
                Sweep::Referrer => self.queued.referrer = false,
                Sweep::Image(repository) => self.queued.image[repository] = false,
                Sweep::Link(repository) => self.queued.link[repository] = false,
            }
        }
        self.queue(who, at - 1);
    }

    fn swept(&mut self, who: usize, next: u8) {
        self.epoch += 1;
        self.at(who, next);
    }

    fn may_drop(&self, rows: &Rows, what: Sweep, rules: Rules) -> bool {
        match what {
            Sweep::Referrer => rows.may_drop_referrer(),
            Sweep::Image(repository) => {
                let noted = repository == 0 && self.noted_image && rules.notes;
                rows.may_drop_image(repository) && !noted
            }
            Sweep::Link(repository) => {
                let noted = self.noted_blob[repository] && rules.notes;
                rows.may_drop_link(repository) && !noted
            }
        }
    }

    fn collect_blob(&mut self, who: usize, rules: Rules) {
        match self.actors[who].at {
            50 => {
                let candidate = self.committed.blob && !self.committed.held();
                self.at(who, if candidate { 51 } else { 60 });
            }
            51 => self.take_lock(who, rules, 52),
            52 => {
                self.actors[who].yes = self.queued.blob && !self.queued.held();
                if self.actors[who].yes {
                    if !rules.row_first {
                        self.file = false;
                    }
                    self.queued.blob = false;
                }
                self.queue(who, 53);
            }
            _ => {
                if self.actors[who].yes {
                    self.file = false;
                }
                self.free_lock(who);
                self.at(who, 60);
            }
        }
    }

    fn collect_orphan(&mut self, who: usize, rules: Rules) {
        match self.actors[who].at {
            60 => {
                let next = if self.file { 61 } else { DONE };
                self.at(who, next);
            }
            61 => self.take_lock(who, rules, 62),
            62 => {
                if rules.orphans_by_transaction {
                    self.actors[who].yes = !self.queued.blob;
                    self.queue(who, 63);
                } else {
                    self.actors[who].yes = !self.committed.blob;
                    self.at(who, 63);
                }
            }
            _ => {
                if self.actors[who].yes {
                    self.file = false;
                }
                self.free_lock(who);
                self.at(who, DONE);
            }
        }
    }
}

/// Somebody who found the lock taken. The step is undone, so nobody is ever seen here.
const WAITING: u8 = 200;

/// What a client asks for.
#[derive(Clone, Copy)]
enum About {
    Blob(usize),
    Image,
}

impl About {
    fn repository(self) -> usize {
        match self {
            Self::Blob(repository) => repository,
            Self::Image => 0,
        }
    }
}

/// What a sweep drops.
#[derive(Clone, Copy)]
enum Sweep {
    Referrer,
    Image(usize),
    Link(usize),
}
