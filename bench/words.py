# SPDX-License-Identifier: Apache-2.0
"""The words that bench/generate.py makes businesses of: towns of southern England with their postcode districts, names,
streets and trades. Some six thousand distinct words, a few common and most rare, as in real directories: a search for
one of them is then as selective as in real life. Places are near enough for a benchmark, not for a map."""

# name, county, postcode district, latitude, longitude, weight
TOWNS = [
    ("Guildford", "Surrey", "GU1", 51.236, -0.570, 8), ("Godalming", "Surrey", "GU7", 51.186, -0.615, 3),
    ("Farnham", "Surrey", "GU9", 51.215, -0.799, 4), ("Haslemere", "Surrey", "GU27", 51.089, -0.716, 2),
    ("Woking", "Surrey", "GU21", 51.319, -0.559, 7), ("Camberley", "Surrey", "GU15", 51.337, -0.743, 5),
    ("Dorking", "Surrey", "RH4", 51.232, -0.333, 3), ("Reigate", "Surrey", "RH2", 51.237, -0.206, 3),
    ("Redhill", "Surrey", "RH1", 51.240, -0.171, 4), ("Leatherhead", "Surrey", "KT22", 51.297, -0.330, 3),
    ("Epsom", "Surrey", "KT17", 51.333, -0.267, 5), ("Esher", "Surrey", "KT10", 51.369, -0.365, 2),
    ("Weybridge", "Surrey", "KT13", 51.372, -0.458, 3), ("Walton-on-Thames", "Surrey", "KT12", 51.386, -0.413, 3),
    ("Staines-upon-Thames", "Surrey", "TW18", 51.434, -0.511, 4), ("Egham", "Surrey", "TW20", 51.429, -0.548, 3),
    ("Cranleigh", "Surrey", "GU6", 51.141, -0.484, 2), ("Oxted", "Surrey", "RH8", 51.257, -0.006, 2),
    ("Aldershot", "Hampshire", "GU11", 51.248, -0.761, 4), ("Farnborough", "Hampshire", "GU14", 51.294, -0.756, 5),
    ("Fleet", "Hampshire", "GU51", 51.284, -0.843, 3), ("Alton", "Hampshire", "GU34", 51.149, -0.975, 2),
    ("Petersfield", "Hampshire", "GU32", 51.004, -0.937, 2), ("Basingstoke", "Hampshire", "RG21", 51.266, -1.088, 8),
    ("Winchester", "Hampshire", "SO23", 51.063, -1.308, 5), ("Southampton", "Hampshire", "SO14", 50.904, -1.404, 20),
    ("Eastleigh", "Hampshire", "SO50", 50.969, -1.350, 5), ("Romsey", "Hampshire", "SO51", 50.989, -1.499, 2),
    ("Andover", "Hampshire", "SP10", 51.208, -1.480, 4), ("Portsmouth", "Hampshire", "PO1", 50.806, -1.087, 16),
    ("Fareham", "Hampshire", "PO16", 50.852, -1.179, 4), ("Gosport", "Hampshire", "PO12", 50.795, -1.124, 4),
    ("Havant", "Hampshire", "PO9", 50.851, -0.984, 4), ("Lymington", "Hampshire", "SO41", 50.758, -1.542, 2),
    ("Ringwood", "Hampshire", "BH24", 50.845, -1.788, 2), ("Chichester", "West Sussex", "PO19", 50.836, -0.779, 4),
    ("Bognor Regis", "West Sussex", "PO21", 50.782, -0.673, 4), ("Littlehampton", "West Sussex", "BN17", 50.809, -0.541, 3),
    ("Worthing", "West Sussex", "BN11", 50.811, -0.372, 7), ("Horsham", "West Sussex", "RH12", 51.063, -0.328, 4),
    ("Crawley", "West Sussex", "RH10", 51.113, -0.187, 7), ("Haywards Heath", "West Sussex", "RH16", 51.005, -0.104, 3),
    ("Midhurst", "West Sussex", "GU29", 50.986, -0.739, 1), ("Arundel", "West Sussex", "BN18", 50.855, -0.554, 1),
    ("Brighton", "East Sussex", "BN1", 50.827, -0.141, 20), ("Hove", "East Sussex", "BN3", 50.834, -0.174, 8),
    ("Lewes", "East Sussex", "BN7", 50.874, 0.009, 2), ("Eastbourne", "East Sussex", "BN21", 50.768, 0.284, 8),
    ("Hastings", "East Sussex", "TN34", 50.855, 0.573, 7), ("Bexhill-on-Sea", "East Sussex", "TN40", 50.841, 0.471, 3),
    ("Rye", "East Sussex", "TN31", 50.950, 0.734, 1), ("Uckfield", "East Sussex", "TN22", 50.968, 0.097, 2),
    ("Tunbridge Wells", "Kent", "TN1", 51.132, 0.263, 5), ("Tonbridge", "Kent", "TN9", 51.196, 0.274, 3),
    ("Sevenoaks", "Kent", "TN13", 51.272, 0.190, 3), ("Maidstone", "Kent", "ME14", 51.273, 0.522, 8),
    ("Ashford", "Kent", "TN23", 51.146, 0.874, 5), ("Canterbury", "Kent", "CT1", 51.280, 1.079, 5),
    ("Whitstable", "Kent", "CT5", 51.361, 1.025, 3), ("Margate", "Kent", "CT9", 51.389, 1.387, 4),
    ("Ramsgate", "Kent", "CT11", 51.336, 1.416, 3), ("Dover", "Kent", "CT17", 51.126, 1.313, 3),
    ("Folkestone", "Kent", "CT20", 51.081, 1.169, 4), ("Dartford", "Kent", "DA1", 51.446, 0.217, 6),
    ("Gravesend", "Kent", "DA11", 51.442, 0.371, 5), ("Chatham", "Kent", "ME4", 51.380, 0.522, 6),
    ("Reading", "Berkshire", "RG1", 51.454, -0.978, 14), ("Bracknell", "Berkshire", "RG12", 51.416, -0.753, 6),
    ("Wokingham", "Berkshire", "RG40", 51.410, -0.834, 4), ("Newbury", "Berkshire", "RG14", 51.401, -1.323, 4),
    ("Slough", "Berkshire", "SL1", 51.510, -0.595, 9), ("Windsor", "Berkshire", "SL4", 51.483, -0.604, 3),
    ("Maidenhead", "Berkshire", "SL6", 51.522, -0.720, 5), ("Oxford", "Oxfordshire", "OX1", 51.752, -1.258, 12),
    ("Abingdon", "Oxfordshire", "OX14", 51.671, -1.283, 3), ("Swindon", "Wiltshire", "SN1", 51.558, -1.782, 12),
    ("Salisbury", "Wiltshire", "SP1", 51.069, -1.795, 4), ("Bournemouth", "Dorset", "BH1", 50.720, -1.880, 13),
    ("Poole", "Dorset", "BH15", 50.715, -1.987, 10), ("Dorchester", "Dorset", "DT1", 50.715, -2.437, 2),
]

FIRST = """Alice Amelia Amir Anna Arthur Aisha Ben Beatrice Charlie Chloe Daisy Daniel Ella Emily Ethan Fatima Florence
Freddie George Grace Hannah Harry Imran Isla Ivy Jack James Jasmine Joe Kate Leo Lily Lucy Maria Matilda Max Mei Mia Mo
Nadia Noah Oliver Olivia Oscar Poppy Priya Rosie Ruby Sam Sofia Sophie Tara Theo Toby Tom Violet Will Yusuf Zara
Zoe""".split()

COMMON_SURNAMES = """Smith Jones Taylor Brown Williams Wilson Johnson Davies Patel Robinson Wright Thompson Evans Walker
White Roberts Green Hall Wood Jackson Clarke Harris Clark Harrison Scott Davis Baker Martin Morris James King Allen
Turner Hill Moore Cooper Hughes Edwards Ward Watson Carter Khan Bennett Phillips Lee Cook Shaw Price Bell Parker Griffin
Mitchell Kelly Morgan Bailey Collins Gray Cox Marshall Mills Simpson Richardson Murphy Webb Rogers Ellis Chapman Hunt
Foster Mason Knight Palmer Singh Begum Holmes Stevens Ali Lloyd Graham Butler Russell Barker Fisher Dixon Ahmed Barnes
Reynolds Murray Hussain Fletcher Jenkins Powell Gibson Andrews Harvey Rose Grant Pearce Matthews Payne Brooks Day Burton
Spencer Lane Bradley Walsh Saunders Sutton Hudson Armstrong Wells Francis Newman Hart Booth Atkinson Dawson Watts Lawson
Goodwin Bishop Osborne Harding Chambers Lambert Kaur Perry Sharp Poole Stone Barrett Byrne Nicholls Fowler Owen""".split()

# The long tail of surnames and places: Ashcombe, Thornwick, Wetherstead ...
STEMS = """Ash Alder Amber Apple Arn Barn Beck Bed Berk Birch Black Bow Brad Bram Bran Brent Bright Brom Brook Broom Buck
Burn Byr Cald Carl Chal Charl Chil Clay Cliff Cob Cold Comb Cor Cran Crock Dal Dart Den Dray Dun East Eck Elm Ev Fair
Farn Fen Fern Field Flax Fox Ful Gold Good Gos Gran Graf Hal Ham Har Hart Hasl Hath Haw Hazel Heath Hen Hew Hol Hol Horn
Hurst Ick Ir Kel Ken Kes King Lam Lang Lath Leck Lin Lock Lud Mal Mar Med Mel Mid Mil Mor Nail Nether New Nor Nut Oak Od
Orch Ox Pel Pen Pres Quen Rad Raven Red Rom Ros Row Rush Rye Sal Sand Sax Sed Sel Shel Ship Sil Sked Stan Stav Stock
Stour Strat Sud Swan Tad Tan Tel Thorn Thur Tid Til Tren Up Wal War Wed Wel Wen West Wether Whit Wick Wil Wim Win Wood
Worm Wrax Wy Yat Yew""".split()
ENDINGS = """ford ham ton ley bury well wick wood worth field combe stead ridge bourne brook ward man more by ington croft
den dale hurst minster mere stone thorpe wyn ster gate""".split()

ADJECTIVES = """Golden Silver Red Blue Green Black White Old New Little Great Royal Happy Hungry Merry Jolly Lucky Lazy
Busy Rustic Crooked Secret Hidden Wild Velvet Copper Crimson Ivory Scarlet Emerald Amber Noble Humble Gentle Curious
Wandering Singing Dancing Flying Running Sleeping Laughing Roaring Painted Polished Tangled Sunny Misty Frosty Salty
Honest Proper Modern Vintage Bright Quiet Spotted Speckled Striped""".split()
CREATURES = """Fox Hare Stag Lion Swan Bear Badger Otter Owl Heron Kestrel Falcon Raven Robin Wren Sparrow Magpie Pheasant
Partridge Duck Goose Hen Cockerel Ram Lamb Goat Bull Ox Horse Mare Pony Hound Spaniel Terrier Cat Kitten Mouse Hedgehog
Squirrel Mole Toad Frog Newt Trout Salmon Pike Perch Herring Oyster Crab Lobster Whale Dolphin Dragon Griffin Unicorn
Phoenix Mermaid Anchor Crown Plough Bell Barrel Wheel Lantern Kettle Teapot Spoon Apron Thimble Needle Compass Windmill
Oak Elm Willow Chestnut Rose Thistle Bramble Clover Acorn Orchard Meadow Garden Harbour Bridge Cottage Castle""".split()

# Leaf categories: slug, how its businesses call themselves. A slug that the database does not know is left out; leaves
# that stand only in the database are called by their own name.
TRADES = {
    "cafe": ["Cafe", "Coffee House", "Tea Room", "Espresso Bar", "Coffee Roasters"],
    "restaurant": ["Restaurant", "Kitchen", "Brasserie", "Bistro", "Trattoria", "Tandoori", "Noodle House", "Grill"],
    "pub": ["Inn", "Arms", "Tavern", "Alehouse", "Taproom"],
    "bar": ["Bar", "Wine Bar", "Cocktail Lounge"],
    "takeaway": ["Fish Bar", "Pizza", "Kebab House", "Fried Chicken", "Takeaway", "Burgers"],
    "bakery": ["Bakery", "Patisserie", "Bakehouse"],
    "butcher": ["Butchers", "Family Butchers"],
    "supermarket": ["Supermarket", "Foodhall"],
    "convenience-store": ["Stores", "Convenience Store", "Mini Market", "Newsagents"],
    "florist": ["Florist", "Flowers"],
    "bookshop": ["Books", "Bookshop"],
    "clothing": ["Clothing", "Boutique", "Menswear", "Outfitters"],
    "hairdresser": ["Hair", "Hair Studio", "Salon"],
    "barber": ["Barbers", "Barber Shop"],
    "beauty-salon": ["Beauty", "Nails", "Skin Clinic"],
    "dentist": ["Dental Practice", "Dental Care"],
    "pharmacy": ["Pharmacy", "Chemist"],
    "doctor": ["Surgery", "Medical Centre"],
    "optician": ["Opticians", "Eyecare"],
    "vet": ["Veterinary Surgery", "Vets"],
    "plumber": ["Plumbing", "Plumbing & Heating", "Boilers"],
    "electrician": ["Electrical", "Electricians"],
    "builder": ["Builders", "Construction", "Roofing", "Loft Conversions"],
    "decorator": ["Decorators", "Painting & Decorating"],
    "gardener": ["Gardens", "Landscapes", "Tree Surgery"],
    "garage": ["Garage", "Motors", "MOT Centre", "Tyres"],
    "estate-agent": ["Estate Agents", "Lettings"],
    "solicitor": ["Solicitors", "Law"],
    "accountant": ["Accountants", "Bookkeeping"],
    "gym": ["Gym", "Fitness", "Yoga Studio"],
    "hotel": ["Hotel", "Guest House", "Bed & Breakfast"],
    "school": ["School", "Academy"],
    "nursery": ["Nursery", "Day Nursery"],
    "museum": ["Museum", "Gallery"],
    "theatre": ["Theatre", "Playhouse"],
}

STREETS = "Street Road Lane Avenue Close Drive Way Hill Gardens Parade Mews Square Terrace Row Place Walk".split()
STREET_NAMES = """High Station Church Mill Park London Victoria Albert Queen King Castle Bridge North South East West Market
Chapel School Manor Grange Woodland Meadow Spring Springfield York Windsor Wellington Nelson Trafalgar Alma Clarence
George Green New Broad Quarry Chertsey Portsmouth Epsom Worplesdon Stoke Sydenham Tunsgate Friary Onslow Farnham Haydon
Warwick Epworth Cobden Gladstone Salisbury Cambridge Oxford""".split()

ABOUT = """family run since 1974 local friendly service open seven days a week fresh seasonal produce from nearby farms
free quotes and honest advice award winning team with over twenty years of experience dogs and children welcome covered
terrace live music on fridays bespoke handmade to order same day delivery across the county emergency call out parking
at the rear step free access loyalty card gift vouchers click and collect refurbished in the heart of the old town
specialists in traditional methods fully insured certified by our trade body vegan and gluten free choices
workshops every month ask for a brochure student discount quiet garden by the river wood fired oven craft ales""".split()
