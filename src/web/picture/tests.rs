//! The picture of overlays of every form: nothing that is written meets anything else that is.

use super::{
    drawing::{Drawing, Rect},
    fold, letters, ring,
    scene::{DrawnOverlay, Item, PathLine, Site, TunnelLine, ordered},
    stack, star,
    suspects::Suspects,
};
use crate::web::mark::Mark;

fn site(name: &str, own: bool) -> Site {
    let router =
        Item { name: format!("router-{name}"), mark: Mark::Good, word: "read".into(), href: "#".into() };
    Site { name: name.to_owned(), own, routers: vec![router], targets: Vec::new(), folded: None }
}

fn sites(count: usize) -> DrawnOverlay {
    DrawnOverlay {
        sites: (0..count).map(|n| site(&format!("site-{n}"), n == 0)).collect(),
        ..DrawnOverlay::default()
    }
}

impl DrawnOverlay {
    fn join(mut self, one: usize, other: usize, mark: Mark) -> Self {
        let word = if mark == Mark::Good { "up" } else { "down, mismatch of vni" };
        self.tunnels.push(TunnelLine {
            sites: (one, other),
            name: format!("r{one}/vxlan{other:02}~r{other}/vxlan{one:02}"),
            mark,
            word: word.to_owned(),
            facts: format!("VNI {} · MTU 1450", 100 * one + other),
            loss: [Some(0.0), Some(0.125)],
            href: "#".to_owned(),
        });
        self
    }

    fn probe(mut self, to: usize, mark: Mark, over: &[(usize, usize)]) -> Self {
        let name = format!("path-to-{to}");
        let word = if mark == Mark::Good { "ok" } else { "black hole, both ways" }.to_owned();
        let href = "#".to_owned();
        self.sites[to].targets.push(Item {
            name: name.clone(),
            mark,
            word: word.clone(),
            href: href.clone(),
        });
        let legs = over.iter().map(|(one, other)| ordered(*one, *other)).collect();
        self.paths.push(PathLine { to, name, mark, word, legs });
        self
    }
}

fn readme() -> DrawnOverlay {
    let mut scene = sites(3).join(0, 1, Mark::Good).join(1, 2, Mark::Bad);
    for (place, name) in ["site-a", "dc", "site-b"].iter().enumerate() {
        (*name).clone_into(&mut scene.sites[place].name);
    }
    scene.probe(1, Mark::Good, &[(0, 1)]).probe(2, Mark::Bad, &[(0, 1), (1, 2)])
}

fn hub_and_spoke(spokes: usize) -> DrawnOverlay {
    (1..=spokes).fold(sites(spokes + 1), |scene, spoke| {
        let mark = if spoke % 17 == 3 { Mark::Bad } else { Mark::Good };
        scene.join(0, spoke, mark).probe(spoke, mark, &[(0, spoke)])
    })
}

fn mesh(count: usize) -> DrawnOverlay {
    let pairs = (0..count).flat_map(|one| (one + 1..count).map(move |other| (one, other)));
    pairs.fold(sites(count), |scene, (one, other)| {
        let mark = if (one * 7 + other) % 9 == 0 { Mark::Bad } else { Mark::Good };
        let scene = scene.join(one, other, mark);
        if one == 0 { scene.probe(other, mark, &[(0, other)]) } else { scene }
    })
}

fn hundred_tunnels() -> DrawnOverlay {
    (0..100)
        .fold(sites(2), |scene, tunnel| scene.join(0, 1, if tunnel == 77 { Mark::Bad } else { Mark::Good }))
}

fn lonely() -> DrawnOverlay {
    let mut scene = sites(2);
    scene.sites.iter_mut().for_each(|site| site.routers.clear());
    scene.probe(1, Mark::Bad, &[])
}

fn hostile() -> DrawnOverlay {
    let mut scene = mesh(5);
    let names = [
        "<script>alert(1)</script>",
        "\"'&",
        "abc\u{5d0}\u{5d1}",
        "🌐🌐🌐🌐🌐🌐🌐🌐🌐🌐🌐🌐🌐🌐🌐🌐🌐",
        "名前がとても長い拠点の名前がとても長い",
    ];
    for (site, name) in scene.sites.iter_mut().zip(names) {
        site.name = name.repeat(12);
        site.routers[0].name = "W".repeat(255);
    }
    scene
}

fn all() -> Vec<(&'static str, DrawnOverlay)> {
    vec![
        ("three sites", readme()),
        ("hub and spoke of 50", hub_and_spoke(50)),
        ("mesh of 12", mesh(12)),
        ("100 tunnels", hundred_tunnels()),
        ("100 spokes", fold::folded(hub_and_spoke(100), 60)),
        ("mesh of 30", fold::folded(mesh(30), 24)),
        ("a lonely path", lonely()),
        ("odd names", hostile()),
        ("one site", sites(1)),
        ("sites that nothing joins", sites(9)),
    ]
}

fn wide(scene: &DrawnOverlay) -> Drawing {
    scene.hub().map_or_else(|| ring::drawing(scene), |hub| star::drawing(scene, hub))
}

fn meets(drawing: &Drawing, name: &str) {
    let whole = Rect { x: 0, y: 0, width: drawing.width, height: drawing.height };
    for (place, label) in drawing.labels.iter().enumerate() {
        let Rect { x, y, width, height } = label.rect;
        assert!(
            x >= 0 && y >= 0 && x + width <= whole.width && y + height <= whole.height,
            "{name}: {label:?} leaves the picture of {whole:?}"
        );
        for other in &drawing.labels[..place] {
            assert!(!label.rect.meets(&other.rect), "{name}: {label:?} meets {other:?}");
        }
        for (rect, ..) in &drawing.boxes {
            let within =
                rect.x <= x && x + width <= rect.x + rect.width && rect.y <= y && y <= rect.y + rect.height;
            assert!(within || !rect.meets(&label.rect), "{name}: {label:?} crosses the edge of {rect:?}");
        }
    }
    for (place, (rect, ..)) in drawing.boxes.iter().enumerate() {
        for (other, ..) in &drawing.boxes[..place] {
            assert!(!rect.meets(other), "{name}: {rect:?} meets {other:?}");
        }
    }
}

#[test]
fn names_never_meet() {
    for (name, scene) in all() {
        meets(&wide(&scene), name);
        meets(&stack::drawing(&scene), name);
    }
}

#[test]
fn the_same_state_gives_the_same_picture() {
    for (name, scene) in all() {
        let svg = wide(&scene).svg("words").into_string();
        assert_eq!(svg, wide(&scene.clone()).svg("words").into_string(), "{name}");
        assert!(!svg.contains("<script>") && !svg.contains("style="), "{name}");
        assert!(stack::drawing(&scene).width <= 320, "{name}");
    }
}

#[test]
fn everything_wrong_is_drawn_and_named() {
    for (name, scene) in all() {
        let drawing = wide(&scene);
        let wrong = scene.tunnels.iter().filter(|tunnel| tunnel.mark == Mark::Bad).count();
        let drawn = drawing.lines.iter().filter(|line| line.mark == Mark::Bad).count();
        assert!(drawn >= wrong, "{name}: {drawn} of {wrong}");
        let icons = drawing.icons.iter().filter(|(.., mark)| *mark == Mark::Bad).count();
        assert!(icons >= wrong.min(30), "{name}: a shape beside each word");
    }
    let words = readme().in_words();
    assert_eq!(words, "3 sites; 2 tunnels, 1 not as it should be; 2 paths, 1 not as it should be.");
}

#[test]
fn the_sick_leg_is_the_one_that_no_healthy_path_crosses() {
    let scene = readme();
    let suspects = Suspects::of(&scene);
    assert!(suspects.leg(0, 1).is_some_and(|leg| leg.sick.is_empty() && leg.crossing.len() == 2));
    assert!(suspects.leg(2, 1).is_some_and(|leg| leg.sick == [1]));
    let (mark, words) = suspects.leg(1, 2).expect("crossed").mark_and_words(&scene);
    assert_eq!((mark, words.as_str()), (Mark::Bad, "path-to-2: black hole, both ways"));
    // Without a healthy path, nothing is cleared.
    let sick = sites(3).join(0, 1, Mark::Good).join(1, 2, Mark::Good).probe(2, Mark::Bad, &[]);
    assert!(
        [(0, 1), (1, 2)]
            .iter()
            .all(|(one, other)| { Suspects::of(&sick).leg(*one, *other).is_some_and(|leg| leg.sick == [0]) })
    );
}

#[test]
fn many_healthy_sites_are_one_mark() {
    let scene = fold::folded(hub_and_spoke(1000), 60);
    assert_eq!(scene.sites.len(), 60);
    let last = scene.sites.last().expect("one");
    assert_eq!((last.name.as_str(), last.folded), ("942 more sites", Some(942)));
    let sick = scene.sites.iter().filter(|site| site.targets.iter().any(|item| item.mark == Mark::Bad));
    assert!(sick.count() >= 58, "the worst are shown");
    let calm = (1..=200).fold(sites(201), |scene, spoke| scene.join(0, spoke, Mark::Good));
    let calm = fold::folded(calm, 60);
    let names: Vec<_> = calm.sites.iter().map(|site| site.name.as_str()).collect();
    assert_eq!(names, ["site-0", "200 more sites"]);
    assert_eq!(calm.sites[1].targets[0].name, "nothing wrong");
    meets(&wide(&calm), "folded");
}

#[test]
fn three_sites_as_in_the_readme() {
    let present = crate::overlay::fixture::lab();
    let routers = crate::overlay::fixture::read(&present);
    let paths = vec![crate::overlay::fixture::path("rancher", "dc", fixture_verdict())];
    let overlay =
        crate::overlay::tunnel::Assessor::new(&crate::overlay::fixture::plan(&[])).assess(&routers, &paths);
    let present =
        crate::model::state::Present { routers, paths, overlay: overlay.into(), ..Default::default() };
    let scene = DrawnOverlay::of(&present);
    let names: Vec<_> = scene.sites.iter().map(|site| (site.name.as_str(), site.own)).collect();
    assert_eq!(names, [("site-a", true), ("dc", false), ("site-b", false)]);
    assert_eq!(scene.hub(), Some(1));
    assert_eq!(scene.tunnels.iter().map(|tunnel| tunnel.sites).collect::<Vec<_>>(), [(1, 0), (1, 2)]);
    assert_eq!(scene.paths[0].legs.iter().copied().collect::<Vec<_>>(), [(0, 1)]);
    let drawing = wide(&scene);
    let xs: Vec<_> = drawing.boxes.iter().map(|(rect, ..)| rect.x).collect();
    assert!(xs.len() == 3 && drawing.width <= 1272, "{xs:?} {}", drawing.width);
}

fn fixture_verdict() -> crate::model::observation::Judgement {
    crate::overlay::fixture::verdict(crate::model::types::Verdict::Ok)
}

#[test]
fn a_tunnel_that_the_commands_change_is_marked() {
    let scene = DrawnOverlay::of(&crate::report::tests::article());
    let marks: Vec<_> = scene.tunnels.iter().map(|tunnel| (tunnel.mark, tunnel.word.as_str())).collect();
    assert_eq!(marks, [(Mark::Bad, "to change"), (Mark::Good, "up")]);
    let healthy = DrawnOverlay::of(&crate::report::tests::healthy());
    assert!(healthy.tunnels.iter().all(|tunnel| tunnel.mark == Mark::Good));
}

#[test]
fn what_fits_is_not_cut() {
    assert_eq!(letters::fit("rancher", 13, 200), "rancher");
    let cut = letters::fit(&"W".repeat(255), 13, 100);
    assert!(cut.ends_with('…') && letters::width(&cut, 13) <= 100, "{cut}");
    assert_eq!(letters::fit("", 13, 100), "");
}
